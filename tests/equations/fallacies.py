r"""False statements that look true to a reader who is careless in one way: none of them may be proven.

FALSE[what the carelessness is]: (introduced, *claims), each claim (kind, left, right). The last claim is the false one,
or one before it must be refused. Found by people who tried to fool the symbolic reader.
"""

LINE = r"\int_{-\infty}^{\infty} "
EACH = (":=", "q_i(z_i)", r"\mathcal{N}(z_i;\mu_i,\sigma_i^2)")
NAMED = (EACH, (":=", "q(z)", r"\prod_{i=1}^{d} q_i(z_i)"))
WHOLE = ((":=", "q(z)", r"\prod_{i=1}^{d} \mathcal{N}(z_i;\mu_i,\sigma_i^2)"),)
MAP = ((":=", "z'", "A z + b"),)
LEAK = r"\sum_{i=1}^{d} (\frac{d}{d%s}\sum_{i=1}^{d} \exp(\sigma z_i + t x_i)) %s_i"


def equal(left, right):
    return ("=", left, right)


FALSE = {
    "a joint density is one density of its first variable": [
        (["p(x, z)"], equal(LINE + r"p(x, z)\,dx", "1")),
        (["p(x, z)"], equal(r"\mathbb{E}_{p(x, z)}[z]", "z")),
        (["p(x, z)", "q(x, z)"], (">=", r"\mathrm{KL}(p(x, z)\,\|\,q(x, z))", "0")),
        ([], (":=", "q(x, z)", r"\mathcal{N}(x;z,1)")),
    ],
    "z, z_i, z_j and z_1 have nothing to do with each other": [
        ([], *WHOLE, equal(r"\mathbb{E}_{q}[z_1]", "z_1")),
        ([], equal(LINE + r"(\sum_{i=1}^{d} z_i)\mathcal{N}(z_1;0,1)\,dz_1", r"\sum_{i=1}^{d} z_i")),
        ([], equal(LINE + r"(\sum_{i=1}^{d} z_i)\mathcal{N}(z_j;0,1)\,dz_j", r"\sum_{i=1}^{d} z_i")),
        ([], *WHOLE, equal(LINE + r"q(z)\mathcal{N}(z_j;0,1)\,dz_j", "q(z)")),
        (["p(z)"], EACH, equal(r"\mathbb{E}_{q_i}[p(z)]", "p(z)")),
        ([r"\hat{x}(z)"], *NAMED, equal(r"\mathbb{E}_{q_i}[\hat{x}_j(z)]", r"\hat{x}_j(z)")),
        ([], equal(r"\mathbb{E}_{z \sim \mathcal{N}(0,1)}[\exp(z_i)]", r"\exp(z_i)")),
        ([], equal(r"\frac{d}{dz_j}\sum_{i=1}^{d} z_i^2", "0")),
        ([], equal(r"\frac{d}{dz_1}\sum_{i=1}^{d} z_i^2", "0")),
        ([], *WHOLE, equal(r"\frac{d}{dz}\log(q(z))", "0")),
        (["p(z)"], equal(r"\frac{d}{dz_i}\log(p(z))", "0")),
        ([], equal(r"\frac{d}{d\mu_i}\sum_{i=1}^{d}\mu_i^2", r"2\sum_{i=1}^{d}\mu_i")),
    ],
    "a normal is a density whatever its mean and variance are": [
        ([], (":=", "q(z)", r"\prod_{i=1}^{d} \mathcal{N}(z_i;\sum_{i=1}^{d} z_i,1)")),
        ([], (":=", "p(x)", r"\mathcal{N}(x;3x,1)")),
        ([], equal(LINE + r"\mathcal{N}(x;x,1)\,dx", "1")),
        ([], equal(LINE + r"\mathcal{N}(x;0,x^2)\,dx", "1")),
        ([], equal(LINE + r"x^2\mathcal{N}(x;0,-1)\,dx", "-1")),
        ([], equal(LINE + r"x^2\mathcal{N}(x;0,\mu)\,dx", r"\mu")),
        ([], (":=", "q(z)", r"\prod_{i=1}^{d} \mathcal{N}(z_i;z_1,1)"), equal(r"\mathbb{E}_{q}[z_i]", "z_1")),
        ([], (":=", "q(z)", r"\prod_{i=1}^{d} \mathcal{N}(z_i;\exp(z_j),1)")),
        ([], equal(r"\mathbb{E}_{z \sim \mathcal{N}(0,z^2)}[z^2]", "z^2")),
    ],
    "an index is a number like others": [
        ([], equal(r"\sum_{n=1}^{N} n", "N n")),
        ([], equal(r"\sum_{n=1}^{N}\sum_{i=1}^{n} 1", "N n")),
        ([], (":=", "q(z)", r"\prod_{i=1}^{n} \mathcal{N}(z_i;\mu_i,\sigma_i^2)"),
         equal(r"\mathbb{E}_{q}[\sum_{i=1}^{d} z_i]", r"\sum_{i=1}^{d}\mu_i")),
    ],
    "a line is as good as a space": [([], equal(r"\int_{\mathbb{R}^d} \exp(-z^2)\,dz", LINE + r"\exp(-z^2)\,dz"))],
    "what holds of exponentials holds of any f": [
        (["f"], equal("f(0)", "1")),
        (["f"], equal("f(z)^2", "f(2z)")),
        (["f"], equal("f'(z)f(x)", "f(z)f'(x)")),
        (["f"], equal(r"\log(f(z))", r"z\log(f(1))")),
        (["f"], equal(r"\mathbb{E}_{z \sim \mathcal{N}(\mu,\sigma^2)}[f(z)]^2",
                      r"\mathbb{E}_{z \sim \mathcal{N}(\mu,2\sigma^2)}[f(z)]f(\mu)")),
        (["f"], equal(r"f(z)\frac{f(x)}{f(\mu)}", r"f(z + x - \mu)")),
        (["f"], equal("f(0)f(2)f(4) + 2f(1)f(2)f(3) - f(2)^3 - f(0)f(3)^2 - f(1)^2f(4)", "0")),
    ],
    "an argument may have any name": [
        ([], (":=", "g(t)", r"\mathbb{E}_{z \sim \mathcal{N}(0,1)}[t z]"), equal("g(z)", "1")),
        (["p(x)"], (":=", "g(t)", LINE + r"(t+x)\,p(x)\,dx"), equal("g(x)", LINE + r"2x\,p(x)\,dx")),
        ([], (":=", "g(t)", r"\sum_{i=1}^{d} t x_i"),
         equal(r"\sum_{i=1}^{d} g(x_i)", r"\sum_{i=1}^{d}\sum_{i=1}^{d} x_i^2")),
        ([r"q(z \mid x_n)"], (":=", "q(z)", r"\frac{1}{N}\sum_{n=1}^{N} q(z \mid x_n)"),
         equal(r"\sum_{n=1}^{N} q(z_n)", r"\sum_{n=1}^{N} q(z_n \mid x_n)")),
        ([], (":=", "g(x, t)", "x-t"), equal("g(t, x)", "0")),
        ([], (":=", "p(x)", r"\prod_{j=1}^{D} \mathcal{N}(x_j;0,1)"), equal("p(x_1)", "p(x_2)")),
        ([], (":=", "g(t)", r"t z_i"), equal(r"\sum_{i=1}^{d} g(t)", r"t\sum_{i=1}^{d} z_i")),
        ([], (":=", "g(t)", r"\sqrt{t^2}"), equal("g(-1)", "-1")),
    ],
    "a sum within an expectation is one term": [
        ([], *NAMED, equal(r"\mathbb{E}_{q}[(\sum_{i=1}^{d} z_i)^2]", r"\mathbb{E}_{q_i}[(\sum_{i=1}^{d} z_i)^2]")),
        ([], *NAMED, equal(r"\mathbb{E}_{q}[\exp(\sum_{i=1}^{d} z_i)]", r"\mathbb{E}_{q_i}[\exp(\sum_{i=1}^{d} z_i)]")),
        ([], equal(rf"\sum_{{i=1}}^{{d}} {LINE}(\sum_{{i=1}}^{{d}} \mathcal{{N}}(z_i;0,1))\,dz_i",
                   r"(\sum_{i=1}^{d} 1)^2")),
        ([], equal(LEAK % (r"\sigma", "x"), LEAK % ("t", "z"))),
    ],
    "what integrates to one is a density": [
        (["p(x)"], (":=", "q(x)", r"2\mathcal{N}(x;0,1)-\mathcal{N}(x;0,4)"), (">=", r"\mathrm{KL}(p\,\|\,q)", "0")),
        ([], (":=", "p(x)", r"x\mathcal{N}(x;1,1)")),
    ],
    "letters are positive": [
        ([], equal(r"\log(\prod_{i=1}^{d} z_i)", r"\sum_{i=1}^{d} \log(z_i)")),
        ([], equal(LINE + r"\sqrt{t^2}\mathcal{N}(t;1,1)\,dt", "1")),
        ([], equal(r"\mathbb{E}_{\sigma \sim \mathcal{N}(1,1)}[\sqrt{\sigma^2}]", "1")),
        ([], equal(LINE + r"\rho\mathcal{N}(\rho;0,1)\,d\rho", r"\rho " + LINE + r"\mathcal{N}(\rho;0,1)\,d\rho")),
        ([], equal(r"\log(-2)", r"\log 2+\log(-1)")),
        ([], equal(r"\log(x z)", r"\log(x) + \log(z)")),
    ],
    "matrices and vectors are numbers": [
        ([], *MAP, equal("W^{-1}W z", "z")),
        ([], *MAP, equal("b^{-1} b", "1")),
        ([], *MAP, equal("(A b)^{-1}", "b^{-1}A^{-1}")),
        ([], *MAP, equal(r"\frac{A b}{b}", "A")),
        ([], *MAP, equal("A b", "b A")),
        ([], *MAP, equal(LINE + r"z A\,dz", "A " + LINE + r"z\,dz")),
    ],
    "a name has the meaning that fits": [
        (["p_i"], equal(r"\mathrm{KL}(p\,\|\,t)", r"\sum_{i=1}^{n} p_i\log\frac{p_i}{t_i}")),
        ([r"\hat{x}(z)"], equal(r"\sum_{j=1}^{D}\hat{x}(z)", r"D\hat{x}(z)")),
    ],
}  # fmt: skip
