import json

from typer.testing import CliRunner

from model.commands.describe import app


def test_it_says_which_kernels_attention_takes_here() -> None:
    text = CliRunner().invoke(app, [])
    assert text.exit_code == 0, text.output
    assert "attention in fp32 on " in text.output
    assert "blocks are not compiled" in text.output
    as_json = json.loads(CliRunner().invoke(app, ["--json"]).output)
    kernels = as_json["attention"]
    assert set(kernels) == {"device", "all_seen", "masked"}
    assert f"on {kernels['device']}: {kernels['all_seen']} where all views are seen" in text.output
    assert f"{kernels['masked']} where some are masked" in text.output
    assert as_json["parameters"] == sum(part["parameters"] for part in as_json["parts"])
