"""Two states of this repository against each other: the processor time of a facade call.

    python benchmarks/_compare.py FOLDER [--connections 32] [--rounds 70]

FOLDER is a work tree of another state, such as ``git worktree add ../before HEAD~1``; it is run by
this one's Python. A machine that others share is up to twice as slow from one second to the next,
so that two runs of ``facade.py`` show no difference below a fifth. Here both serve in turns of a
third of a second, and what is compared is the two of one turn: 70 turns show two per cent.
"""

import argparse
import contextlib
import math
import statistics
import sys
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import facade

SECONDS: Final = 0.35
_SAMPLING: Final = 0.1
_CUT: Final = 5  # one of so many ratios is left out at either end


def measure(trees: dict[str, Path], *, connections: int, rounds: int) -> dict[str, list[float]]:
    """CPU per call of each tree's hub in each turn, with every tenth call traced, in µs."""
    with contextlib.ExitStack() as stack:
        stacks = {name: facade.Served(_SAMPLING, tree) for name, tree in trees.items()}
        bench = facade.Bench(stack, stacks, seconds=SECONDS)
        turns = [
            bench.round("fast", connections, backwards=number % 2 == 1) for number in range(rounds)
        ]
        bench.check_spans()
    return {name: [turn[name]["cpu_us"] for turn in turns] for name in trees}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="work tree of the state before")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=70)
    options = parser.parse_args()
    trees = {"before": options.folder.resolve(), "now": Path(__file__).resolve().parents[1]}
    spent = measure(trees, connections=options.connections, rounds=options.rounds)
    ratios = sorted(
        math.log(now / before) for before, now in zip(spent["before"], spent["now"], strict=True)
    )
    cut = len(ratios) // _CUT
    kept = ratios[cut : len(ratios) - cut]
    # Standard error of a trimmed mean. Source: Yuen 1974, from the winsorised deviation.
    winsorised = [kept[0]] * cut + kept + [kept[-1]] * cut
    share = len(kept) / len(ratios)
    error = statistics.stdev(winsorised) / (share * math.sqrt(len(ratios)))
    ratio = math.exp(statistics.mean(kept))
    medians = " and ".join(f"{statistics.median(each):.0f}" for each in spent.values())
    print(f"CPU per call, of that before: {ratio:.3f} ± {error:.3f} ({medians} µs)")


if __name__ == "__main__":
    main()
