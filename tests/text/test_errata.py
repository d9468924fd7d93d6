"""What the errata say of the source tutorial's code and formulas, run on the installed versions."""

import json
import re
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib import cm
from mpl_toolkits.mplot3d import Axes3D
from PIL import Image
from scipy.integrate import quad
from scipy.stats import norm
from torch import nn
from torch.autograd import Variable
from torch.distributions import Normal, kl_divergence
from torch.nn import functional as F
from torchvision import transforms as tfs
from torchvision.datasets import MNIST

from genlib import losses

ROOT = Path(__file__).resolve().parents[2]
VERDICTS = {
    "Lost": "丢失",
    "Fails": "运行失败",
    "Dated": "过时",
    "Wrong": "错误",
    "Imprecise": "不严谨",
    "Unsupported": "证据不足",
    "Right": "无误",
}
JUDGED_BY_READING = {  # names, habits and notation: nothing to run
    "os.mkdir('./simple_autoencoder')",
    "cm.rainbow(int(255*s/9))",
    "pic = to_img(output.cpu().data)",
    "train_set = MNIST(",
    "save = to_img(recon_im.cpu().data)",
    "_, mu, var = net(x)",
    "print(mu)",
    "D{KL}",
    r"DKL(P\Vert Q)",
    r"p(x)\log p(x)-p(x)\log q(x)dx",
}
CHECKED = set()  # filled by @checks


def checks(*fragments):
    """Marks a test as the check of these quoted fragments of the source."""
    CHECKED.update(fragments)
    return lambda test: test


def entries(lang):
    """[(number of the section, verdict, [fragments])] of the errata page in one language."""
    found, section = [], 0
    for line in (ROOT / "notebooks" / lang / "errata.md").read_text(encoding="utf-8").splitlines():
        section += line.startswith("## ")
        if match := re.fullmatch(r"- \*\*(.+?)\*\* · (.+)\\", line):
            found.append((section, match[1], re.findall(r"`([^`]+)`", match[2])))
    return found


def is_silent(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return call()


# -- The page ----------------------------------------------------------------------------------------------------------


def test_both_languages_quote_the_same_fragments_with_the_same_verdicts():
    english = [(section, VERDICTS[verdict], fragments) for section, verdict, fragments in entries("en")]
    assert len(english) > 50
    assert english == entries("zh")


def test_every_quoted_line_of_code_or_mathematics_is_checked():
    quoted = {fragment for _, _, fragments in entries("en") for fragment in fragments}
    code = {fragment for fragment in quoted if not re.search("[\u3400-\u9fff]", fragment)}
    assert code == CHECKED | JUDGED_BY_READING
    assert CHECKED.isdisjoint(JUDGED_BY_READING)


def test_the_collapse_is_what_the_results_say(train_digits):
    numbers = json.loads((ROOT / "experiments" / "results.json").read_text(encoding="utf-8"))["numbers"]
    value = {key.removeprefix("errata."): n["value"] for key, n in numbers.items() if key.startswith("errata.")}
    variance = train_digits[0].double().var(0, unbiased=False).sum().item()
    assert value["mean_image.train"] == pytest.approx(variance, rel=1e-5)
    assert value["kl_bound"] == pytest.approx(variance / (784 * 128), rel=1e-5)
    assert value["top_variance"] < 784 * 128 / 2
    assert value["mean_loss.test.kl"] < value["kl_bound"] < 0.01 * value["sum_loss.test.kl"]
    assert value["mean_loss.test.reconstruction"] > value["mean_image.test"] > value["sum_loss.test.reconstruction"]


# -- Code that fails today ---------------------------------------------------------------------------------------------


@checks("import torch from torch.autograd import Variable")
def test_glued_statements_are_a_syntax_error():
    with pytest.raises(SyntaxError):
        compile("import torch from torch.autograd import Variable", "source", "exec")
    with pytest.raises(SyntaxError):
        compile("for e in range(100): for batch in train_data: pass", "source", "exec")


@checks("ax = Axes3D(fig)")
def test_axes3d_no_longer_joins_the_figure():
    fig = plt.figure()
    Axes3D(fig)
    fig.canvas.draw()
    assert fig.axes == []
    assert (np.asarray(fig.canvas.buffer_rgba()) == 255).all()
    assert fig.add_subplot(projection="3d") in fig.axes
    plt.close(fig)


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has what .cuda() asks for")
@checks("net = autoencoder().cuda()")
def test_cuda_needs_a_gpu():
    with pytest.raises((RuntimeError, AssertionError)):
        nn.Linear(3, 3).cuda()


@checks("MNIST('./data', transform=im_tfs)")
def test_mnist_without_download_is_not_found(tmp_path):
    with pytest.raises(RuntimeError, match="Dataset not found"):
        MNIST(tmp_path)


# -- Dated code --------------------------------------------------------------------------------------------------------


@checks("Variable(torch.randn(1, 28*28))")
def test_a_variable_is_a_tensor():
    assert type(is_silent(lambda: Variable(torch.randn(1, 28 * 28)))) is torch.Tensor


@checks("nn.MSELoss(size_average=False)", "MSE = reconstruction_function(recon_x, x)")
def test_size_average_false_warns_and_sums():
    with pytest.warns(UserWarning, match="reduction='sum'"):
        criterion = nn.MSELoss(size_average=False)
    x_hat, x = torch.randn(2, 5, 784).unbind(0)
    assert torch.equal(criterion(x_hat, x), nn.MSELoss(reduction="sum")(x_hat, x))
    assert torch.isclose(criterion(x_hat, x), losses.squared_error(x_hat, x).sum())


@checks("train_set.train_data", "train_set.train_labels")
def test_renamed_attributes_warn():
    train_set = MNIST.__new__(MNIST)
    train_set.data, train_set.targets = torch.zeros(2, 28, 28), torch.tensor([3, 4])
    with pytest.warns(UserWarning, match="renamed data"):
        assert train_set.train_data is train_set.data
    with pytest.warns(UserWarning, match="renamed targets"):
        assert train_set.train_labels is train_set.targets


@checks("F.tanh(self.fc4(h3))")
def test_functional_tanh_is_silent():
    x = torch.randn(5)
    assert torch.equal(is_silent(lambda: F.tanh(x)), torch.tanh(x))


@checks("torch.FloatTensor(std.size()).normal_()")
def test_float_tensor_is_on_the_cpu_whatever_std_is():
    std = torch.ones(2, 3, device="meta", dtype=torch.float64)
    assert torch.FloatTensor(std.size()).normal_().device.type == "cpu"
    noise = torch.randn_like(std)
    assert (noise.device, noise.dtype, noise.shape) == (std.device, std.dtype, std.shape)


@checks("output.cpu().data")
def test_data_hides_a_change_from_autograd():
    x = torch.ones(3, requires_grad=True)
    y, y_detached = x.exp(), x.exp()
    y.data.zero_()
    y.sum().backward()
    assert torch.equal(x.grad, torch.zeros(3))  # and no message: the derivative is e
    y_detached.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y_detached.sum().backward()


@checks("super(autoencoder, self).__init__()")
def test_old_super_still_works():
    class autoencoder(nn.Module):
        def __init__(self):
            super(autoencoder, self).__init__()  # noqa: UP008  (the source's form)

    assert list(is_silent(autoencoder).parameters()) == []


# -- Code that does not do what it says --------------------------------------------------------------------------------


@checks("print('epoch: {}, Loss: {:.4f}'.format(e + 1, loss.item()))", "shuffle=True")
def test_the_last_batch_has_96_shuffled_images():
    loader = torch.utils.data.DataLoader(range(60_000), batch_size=128, shuffle=True)
    first, second = ([batch.tolist() for batch in loader] for _ in range(2))
    assert len(first) == 469 and len(first[-1]) == len(second[-1]) == 96
    assert first[-1] != second[-1]


@checks("x = x.view(x.shape[0], -1)")
def test_the_channel_serves_as_the_batch():
    x = tfs.ToTensor()(Image.new("L", (28, 28)))
    assert x.shape == (1, 28, 28) and x.view(x.shape[0], -1).shape == (1, 784)
    rgb = tfs.ToTensor()(Image.new("RGB", (28, 28)))
    assert rgb.view(rgb.shape[0], -1).shape == (3, 784)


@checks("plt.imshow(decode_img.astype('uint8'), cmap='gray')")
def test_imshow_stretches_the_contrast_and_astype_cuts():
    image = np.array([[100.0, 120.9]])
    shown = plt.imshow(image.astype("uint8"), cmap="gray")
    assert shown.get_clim() == (100, 120)
    plt.close("all")


@checks(
    "KLD_element = mu.pow(2)",
    "mu.pow(2).add_(logvar.exp()).mul_(-1).add_(1).add_(logvar)",
)
def test_in_place_kl_is_right_and_its_element_is_minus_twice_the_kl():
    mu, logvar = (torch.randn(4, 20, dtype=torch.float64, requires_grad=True) for _ in range(2))
    element = mu.pow(2).add_(logvar.exp()).mul_(-1).add_(1).add_(logvar)
    oracle = kl_divergence(Normal(mu, logvar.exp().sqrt()), Normal(0.0, 1.0))
    assert torch.allclose(element, -2 * oracle)
    total = torch.sum(element).mul_(-0.5)
    ours, theirs = (torch.autograd.grad(v, (mu, logvar), retain_graph=True) for v in (oracle.sum(), total))
    assert all(torch.allclose(a, b) for a, b in zip(ours, theirs, strict=True))


@checks("eps.mul(std).add_(mu)")
def test_in_place_reparameterization_has_the_right_gradients():
    mu, logvar = (torch.randn(4, 20, dtype=torch.float64, requires_grad=True) for _ in range(2))
    eps = torch.randn(4, 20, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda mu, logvar: eps.mul(logvar.mul(0.5).exp_()).add_(mu), (mu, logvar))


# -- The two VAE losses ------------------------------------------------------------------------------------------------


@checks("reconstruction_function=nn.MSELoss()", "reconstruction_function = nn.MSELoss(size_average=False)")
@pytest.mark.parametrize(("form", "c"), [("mean", 1 / (784 * 128)), ("sum", 1.0)])
def test_weights_of_the_two_vae_losses(form, c):
    x, x_hat = torch.rand(2, 128, 784, dtype=torch.float64)
    mu, logvar = torch.randn(2, 128, 20, dtype=torch.float64)
    source = nn.MSELoss(reduction=form)(x_hat, x) + losses.kl_to_standard_normal(mu, logvar).sum()
    ours = losses.vae_loss(lambda _: (x_hat, mu, logvar), x, c=c)["total"]
    assert torch.isclose(source / 128, ours.mean())


def test_the_mean_form_means_a_decoder_variance_of_50176():
    x, x_hat, other = torch.rand(3, 1, 784, dtype=torch.float64)
    decoder = [Normal(mean, 50176**0.5).log_prob(x).sum() for mean in (x_hat, other)]
    difference = losses.squared_error(other, x) - losses.squared_error(x_hat, x)
    assert torch.isclose(decoder[0] - decoder[1], difference / (784 * 128), rtol=1e-6)
    assert 50176**0.5 == 224


def test_without_the_kl_nothing_keeps_the_standard_deviation_from_zero():
    decoder = nn.Linear(3, 50).double()
    mu, logvar = torch.zeros(1000, 3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64, requires_grad=True)
    x_hat = decoder(mu + (0.5 * logvar).exp() * torch.randn(1000, 3, dtype=torch.float64))
    losses.squared_error(x_hat, decoder(mu).detach()).mean().backward()
    assert (logvar.grad > 0).all()  # a smaller variance is always cheaper


# -- Mathematics -------------------------------------------------------------------------------------------------------

M1, S1, M2, S2 = 1.0, 0.8, -0.5, 1.5


def average(f):
    """The integral of p(x) f(x), by quadrature."""
    return quad(lambda x: norm.pdf(x, M1, S1) * f(x), M1 - 12 * S1, M1 + 12 * S1)[0]


@checks(r"\int p(x)(-\frac{(x-\mu_2)^2}{2\sigma_1^2})dx")
def test_the_denominator_is_sigma_2():
    def line(sigma):
        return -np.log(2 * np.pi * S2**2) / 2 + average(lambda x: -((x - M2) ** 2) / (2 * sigma**2))

    truth = average(lambda x: norm.logpdf(x, M2, S2))
    assert line(S2) == pytest.approx(truth)
    assert line(S1) != pytest.approx(truth, abs=0.1)


@checks(
    r"(\mu_1^2+\sigma_q^2)-(2\mu_1\times \mu_1)+u_1^2",
    r"(\mu_1^2+\sigma12^2)-(2\mu_2\times \mu_1)+u_2^2",
)
@pytest.mark.parametrize(("mu", "sigma"), [(M1, S1), (M2, S2)])
def test_the_undefined_symbols_are_sigma_1_and_the_mean(mu, sigma):
    def line(sigma_q, u):
        square = (M1**2 + sigma_q**2) - 2 * mu * M1 + u**2
        return -np.log(2 * np.pi * sigma**2) / 2 - square / (2 * sigma**2)

    truth = average(lambda x: norm.logpdf(x, mu, sigma))
    assert line(S1, mu) == pytest.approx(truth)
    assert line(S2, mu) != pytest.approx(truth, abs=0.1)
    assert line(S1, M1 + M2 - mu) != pytest.approx(truth, abs=0.1)


@checks(r"\log\frac{\sigma_2}{\sigma_1}+\frac{\sigma_1^2+(\mu_1-\mu_2)^2}{2\sigma_2^2}-\frac{1}{2}")
def test_the_final_formula_is_right():
    formula = np.log(S2 / S1) + (S1**2 + (M1 - M2) ** 2) / (2 * S2**2) - 1 / 2
    assert formula == pytest.approx(average(lambda x: norm.logpdf(x, M1, S1) - norm.logpdf(x, M2, S2)))
    assert formula == pytest.approx(kl_divergence(Normal(M1, S1), Normal(M2, S2)).item(), rel=1e-6)


@checks(r"\sum_{-\infty}^{\infty} p(i) \log \frac{p(i)}{q(i)} dx")
def test_a_sum_has_no_dx():
    p, q = torch.tensor([0.5, 0.25, 0.25]), torch.tensor([0.25, 0.5, 0.25])
    oracle = kl_divergence(torch.distributions.Categorical(p), torch.distributions.Categorical(q))
    kl = (p * (p / q).log()).sum()
    assert torch.isclose(kl, oracle)
    assert not torch.isclose(kl * 0.1, oracle)


def test_the_constant_between_se_plus_kl_and_the_negative_elbo():
    x, x_hat = torch.rand(2, 784, dtype=torch.float64)
    log_likelihood = Normal(x_hat, 0.5**0.5).log_prob(x).sum()
    assert torch.isclose(-log_likelihood, (x - x_hat).square().sum() + 392 * np.log(np.pi), rtol=1e-6)


# -- Checked and right -------------------------------------------------------------------------------------------------


@checks("loss = criterion(output, im) / im.shape[0]")
def test_sum_over_batch_divided_by_batch_is_the_error_per_image():
    output, im = torch.rand(2, 96, 784)
    loss = nn.MSELoss(reduction="sum")(output, im) / im.shape[0]
    assert torch.isclose(loss, losses.squared_error(output, im).mean())


@checks("view(-1, 28*28) / 255. - 0.5) / 0.5", "tfs.Normalize(0.5,0.5)")
def test_scaling_by_hand_equals_the_transforms():
    pixels = torch.arange(784, dtype=torch.int64).remainder(256).to(torch.uint8).view(28, 28)
    by_transforms = tfs.Compose([tfs.ToTensor(), tfs.Normalize(0.5, 0.5)])(Image.fromarray(pixels.numpy()))
    by_hand = (pixels.type(torch.FloatTensor).view(-1, 28 * 28) / 255.0 - 0.5) / 0.5
    assert torch.equal(by_hand, by_transforms.view(1, -1))
    assert (by_hand.min(), by_hand.max()) == (-1, 1)


@checks("ax.text(x, y, z, s, backgroundcolor=c)")
def test_a_numpy_integer_is_drawn_as_its_digit():
    fig = plt.figure()
    ax = fig.add_subplot(projection="3d")
    s = torch.tensor([5]).numpy()[0]
    x, y, z = torch.zeros(3).numpy()
    text = ax.text(x, y, z, s, backgroundcolor=cm.rainbow(int(255 * s / 9)))
    fig.canvas.draw()
    assert text.get_text() == "5"
    plt.close(fig)
