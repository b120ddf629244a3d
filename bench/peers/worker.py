"""Processes of the systems compared: started one after another, then told in turn to do one run each, so that a machine
whose speed drifts slows all of them alike."""

import json
import os
import pathlib
import subprocess
import tempfile


class PeerFailed(Exception):
    pass


class Worker:
    """A peer, ready: it has compiled, warmed up, and waits. See peer.py for what it says."""

    def __init__(self, name, command, cpus):
        self.name = name
        if cpus:
            command = ["taskset", "-c", ",".join(str(cpu) for cpu in cpus)] + command
        # OpenMP's default: waiting threads spin for a moment and then sleep, long before the next system's turn.
        environment = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
        self.errors = tempfile.TemporaryFile("w+")  # a pipe that nobody reads would fill up
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors,
                                        text=True, env=environment)
        self.ready = self.answer()

    def answer(self):
        for line in self.process.stdout:
            if line.startswith("{"):
                return json.loads(line)
        self.errors.seek(0)
        last = [line for line in self.errors.read().splitlines() if line.strip()][-1:]
        raise PeerFailed(f"{self.name}: {last[0] if last else 'ended without a word'}")

    def cpu_seconds(self):
        """Time on a processor of all threads alive: what others on the machine do not change much."""
        total = 0
        for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir():
            try:
                total += int((task / "schedstat").read_text().split()[0])
            except (OSError, IndexError, ValueError):
                pass  # the thread has ended
        return total * 1e-9

    def run(self):
        before = self.cpu_seconds()
        self.process.stdin.write("run\n")
        self.process.stdin.flush()
        result = self.answer()
        result["cpu_s"] = self.cpu_seconds() - before
        return result

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def alternate(workers, rounds):
    """Results by worker's name, a list each, from runs in turn: A B C A B C ..."""
    results = {worker.name: [] for worker in workers}
    for _ in range(rounds):
        for worker in workers:
            results[worker.name].append(worker.run())
    return results
