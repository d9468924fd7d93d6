"""Run the experiments behind the numbers of the prose: `make results`, or `python experiments/run.py [NAME ...]`.

Goes on where it stopped: each finished run is in results.json at once, and a run that is there under the same recipe
is not repeated. One run a core, the long ones first; all of them take about three hours on two cores.
"""

import argparse
import os
import signal
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import active_children, get_context

import bernoulli
import broken
import errata
import judges
import linear
import losses
import results
import samples
import sizes

SCRIPTS = (bernoulli, losses, judges, samples, broken, sizes, errata, linear)
EXPERIMENTS = {name: experiment for script in SCRIPTS for name, experiment in script.EXPERIMENTS.items()}
SCRIPT = {name: script.__name__ for script in SCRIPTS for name in script.EXPERIMENTS}


def job(name, seed):
    """What a process of the pool does: one run on one thread, as others run beside it."""
    import torch

    torch.set_num_threads(1)
    return results.measure(EXPERIMENTS[name], seed)


def run(names, workers, again=False):
    """Make the runs that are missing (`again`: all of them). Returns sentences about those that failed."""
    found = results.read()
    done = {name: {} if again else results.current(found, name, EXPERIMENTS[name]) for name in names}
    jobs = [(name, seed) for name in names for seed in range(EXPERIMENTS[name].seeds) if seed not in done[name]]
    results.write(found, EXPERIMENTS)  # units or names may have changed
    failed = []
    # spawn: a forked process would share the threads torch has already started
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        handler = signal.signal(signal.SIGINT, signal.SIG_IGN)  # which those processes inherit: one is to tell of it
        futures = {pool.submit(job, *which): which for which in jobs}
        signal.signal(signal.SIGINT, handler)
        for k, future in enumerate(as_completed(futures), 1):
            name, seed = futures[future]
            if error := future.exception():
                failed.append(f"{name}, seed {seed}: {type(error).__name__} {error}")
            else:
                results.store(name, SCRIPT[name], future.result(), EXPERIMENTS)
            print(f"{k}/{len(jobs)} {failed[-1] if error else f'{name}, seed {seed}'}", flush=True)
    except KeyboardInterrupt:
        for process in active_children():
            process.kill()
        raise
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(EXPERIMENTS)} (default: all)")
    parser.add_argument("--workers", type=int, default=os.cpu_count(), help="runs side by side (default: all cores)")
    parser.add_argument("--again", action="store_true", help="also repeat the runs that are there")
    args = parser.parse_args()
    if unknown := set(args.names) - set(EXPERIMENTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected some of {', '.join(EXPERIMENTS)}")
    os.environ["TQDM_DISABLE"] = "1"  # many bars at once are none
    try:
        failed = run(args.names or list(EXPERIMENTS), args.workers, args.again)
    except KeyboardInterrupt:
        sys.exit("Interrupted; every finished run is kept, and the next call goes on from there.")
    except (OSError, ValueError) as error:  # of results.json: no run raises here
        sys.exit(f"{error}")
    if failed:
        sys.exit("These runs failed; all others are kept:\n  " + "\n  ".join(failed))


if __name__ == "__main__":
    main()
