"""What `make mutate` does to all equations and losses: here to the losses, and to one cell of a chapter."""

from pathlib import Path

import mutate
import test_losses

from genlib import losses


def test_every_slip_in_a_loss_is_noticed(test_digits):
    assert not mutate.is_noticed(Path(losses.__file__).read_text(encoding="utf-8"), test_digits)
    slips = list(mutate.loss_slips())
    functions = {change.partition(":")[0] for change, _ in slips}
    assert {"squared_error", "kl_to_standard_normal", "kl_normal", "vae_loss"} <= functions and len(slips) >= 40
    assert [change for change, source in slips if not mutate.is_noticed(source, test_digits)] == []
    assert test_losses.vae_loss is losses.vae_loss, "what other tests of this run take"


def test_slips_in_an_equation_are_caught_or_explained():
    caught, reasons, alive = mutate.equation_slips("02_kl_divergence", "proof")
    assert caught["symbolic and numeric"] > 50 and 0 < len(reasons) < 10 and not alive
