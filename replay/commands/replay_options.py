"""Options of the command `replay` alone: what answers, and where."""

from typing import Annotated

import typer

from data.cluster.options import on_option

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        help="The candidate: a name such as orange, champion (the store's), a checkpoint's folder "
        "(DIR#keep=N: the backbone sees the N views of 12 that the model's scorer chooses), an "
        "export's folder, "
        "hf:NAME_OR_DIR[#LABEL] (a transformers image classifier), or module:attribute (your "
        "own Python).",
    ),
]
MetadataOption = Annotated[
    bool,
    typer.Option(
        "--metadata",
        help="Give a checkpoint the logged metadata too, in a separate run that is marked so. "
        "Miners get none, and whether a description is present reveals the label: do not report "
        "it as the main result.",
    ),
]
BatchSizeOption = Annotated[
    int,
    typer.Option(
        "--batch-size",
        metavar="N",
        min=1,
        help="Images at once through an hf: candidate, for a GPU. The last bits of an answer "
        "differ with N, so that another N is another run; with 1 they never depend on other "
        "images. Each batch is filled up to N, of parts of 64 challenges.",
    ),
]
WorkersOption = Annotated[
    int | None,
    typer.Option(
        "--workers",
        min=1,
        help="Processes that rebuild images, about 1 GB each [default: one a core where it pays]; "
        "of a cluster, workers that answer [default: as many as there is room for].",
    ),
]
OnOption = Annotated[str, on_option("candidates answer")]
WorkerGpusOption = Annotated[
    int | None,
    typer.Option(
        "--worker-gpus",
        min=0,
        help="GPUs of each worker of a cluster [default: 1 if any node has one, else 0].",
    ),
]
FreshOption = Annotated[
    bool,
    typer.Option("--fresh", help="Start over: drop what an earlier run of the same has answered."),
]
