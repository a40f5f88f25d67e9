"""Every system is good without faults; the faults that break a bug do not break the correct variant."""

import time
import unittest
from functools import partial

from harness import SYSTEMS, experiment


class Case(unittest.TestCase):
    def outcome(self, expected, file, links=(), faults=None, parameters=None):
        """`expected` is an outcome or several."""
        outcome, logs = experiment(file, links, faults, parameters)
        self.assertIn(outcome, [expected] if isinstance(expected, str) else expected, f"{file}\n{logs}")

    def good_without_faults(self, folder):
        for file in sorted((SYSTEMS / folder).glob("cluster*.toml")):
            with self.subTest(file.name):
                self.outcome("good", f"{folder}/{file.name}")


class Broadcast(Case):
    def test_good_without_faults(self):
        self.good_without_faults("broadcast")

    def test_one_loss(self):
        def lose(cluster):
            cluster.link("a", "b").on("copy", 1, lambda: "lose")

        links = [("a", "b")]
        self.outcome("bad", "broadcast/cluster-simple.toml", links, lose)
        self.outcome("good", "broadcast/cluster-retry.toml", links, lose)
        self.outcome("good", "broadcast/cluster-classic.toml", links, lose)
        self.outcome("good", "broadcast/cluster.toml", links, lose)

    def test_losses_and_the_sender_crashes(self):
        def lose_and_crash(cluster):
            # Every copy: on a slow machine there may be a second before the crash.
            cluster.link("a", "b").on("copy", None, lambda: "lose")
            # The copy to c is sent after the one to b, and arrives.
            cluster.link("a", "c").on("copy", 1, lambda: cluster.crash("a"))

        links = [("a", "b"), ("a", "c")]
        self.outcome("bad", "broadcast/cluster-retry.toml", links, lose_and_crash)
        self.outcome("good", "broadcast/cluster.toml", links, lose_and_crash)

    def test_the_message_and_its_relay_are_lost(self):
        def lose_both(cluster):
            cluster.link("a", "b").on("copy", 1, lambda: "lose")
            cluster.link("c", "b").on("copy", 1, lambda: "lose")

        links = [("a", "b"), ("c", "b")]
        self.outcome("bad", "broadcast/cluster-classic.toml", links, lose_both)
        self.outcome("good", "broadcast/cluster.toml", links, lose_both)

    def test_restart_and_partition_do_not_break_the_correct_one(self):
        def restart(cluster):
            return lambda: cluster.restart("b")

        def cut(cluster):
            cluster.link("a", "b").cut()
            return lambda: time.sleep(0.2)

        self.outcome("good", "broadcast/cluster.toml", faults=restart)
        self.outcome("good", "broadcast/cluster.toml", [("a", "b")], cut)


class PrimaryBackup(Case):
    def test_good_without_faults(self):
        self.good_without_faults("primary-backup")

    def test_the_primary_crashes_before_it_replicates(self):
        def crash(cluster):
            for backup in ["b", "c"]:
                cluster.link("a", backup).on("replicate", 3, lambda: cluster.crash_before_sending("a"))

        # The first copy is of the entry that begins the epoch, the next ones are of the writes.
        links = [("a", "b"), ("a", "c")]
        self.outcome("bad", "primary-backup/cluster-early.toml", links, crash)
        self.outcome("good", "primary-backup/cluster.toml", links, crash)

    def test_a_backup_that_lags_is_promoted(self):
        def lag(cluster):
            # b misses the second write; c has it; then the primary crashes, and the cut lasts until the next is elected.
            cluster.link("a", "b").on("replicate", 3, cluster.link("a", "b").cut)
            return lambda: (cluster.crash("a"), time.sleep(1.2))

        links = [("a", "b")]
        self.outcome("bad", "primary-backup/cluster-any.toml", links, lag)
        self.outcome("good", "primary-backup/cluster.toml", links, lag)

    def test_a_cut_primary_does_not_acknowledge(self):
        links = [("a", "b"), ("a", "c"), ("monitor", "a")]

        def cut(cluster):
            def cut_all():
                for link in links:
                    cluster.link(*link).cut()

            cluster.link("a", "b").on("replicate", 3, cut_all)

        self.outcome("good", "primary-backup/cluster.toml", links, cut)

    def test_other_faults_do_not_break_the_correct_one(self):
        def restart_at(message):
            def restart(cluster):
                def place():
                    cluster.restart("a")
                    return "lose"

                cluster.link("a", "b").on("replicate", message, place)

            return restart

        for message in [1, 2, 3]:
            self.outcome("good", "primary-backup/cluster.toml", [("a", "b")], restart_at(message))
        self.outcome("good", "primary-backup/cluster.toml", faults=lambda cluster: lambda: cluster.pause("a", 0.6))
        self.outcome("good", "primary-backup/cluster.toml", faults=lambda cluster: lambda: cluster.crash("monitor"))


class TwoPhaseCommit(Case):
    LINKS = [("coordinator", name) for name in ["a", "b", "d"]]

    def test_good_without_faults(self):
        self.good_without_faults("two-phase-commit")

    def test_the_coordinator_restarts_after_telling_one(self):
        def restart(cluster):
            def place():
                cluster.restart("coordinator")
                return "lose"

            cluster.link("coordinator", "b").on("decide", 1, place)

        self.outcome("bad", "two-phase-commit/cluster-late.toml", self.LINKS, restart)
        self.outcome("good", "two-phase-commit/cluster.toml", self.LINKS, restart)

    def test_the_coordinator_restarts_before_it_decides(self):
        def restart(cluster):
            # All have been asked: the last one's vote does not reach the coordinator that asked.
            cluster.link("coordinator", "a").on("prepare", 1, lambda: lambda: cluster.restart("coordinator"))

        self.outcome("bad", "two-phase-commit/cluster-wait.toml", self.LINKS, restart)
        self.outcome("good", "two-phase-commit/cluster.toml", self.LINKS, restart)

    def test_the_outcome_is_late_at_one(self):
        def delay(cluster):
            cluster.link("coordinator", "b").on("decide", 1, lambda: time.sleep(0.6))

        self.outcome("bad", "two-phase-commit/cluster-abort.toml", self.LINKS, delay)
        self.outcome("good", "two-phase-commit/cluster.toml", self.LINKS, delay)

    def test_other_faults_do_not_break_the_correct_one(self):
        def crash(name, label):
            def place(cluster):
                action = cluster.crash_before_sending if name == "coordinator" else cluster.crash
                cluster.link("coordinator", "b").on(label, 1, lambda: action(name))

            return place

        def cut(label):
            def place(cluster):
                link = cluster.link("coordinator", "b")
                link.on(label, 1, link.cut)
                return lambda: time.sleep(0.3)

            return place

        file = "two-phase-commit/cluster.toml"
        self.outcome("good", file, self.LINKS, crash("coordinator", "decide"))
        self.outcome(["good", "vacuous"], file, self.LINKS, crash("coordinator", "prepare"))
        self.outcome("good", file, self.LINKS, crash("b", "prepare"))
        self.outcome("good", file, self.LINKS, crash("a", "decide"))
        self.outcome("good", file, self.LINKS, cut("prepare"))
        self.outcome("good", file, self.LINKS, cut("decide"))


class LeaseLock(Case):
    def test_good_without_faults(self):
        self.good_without_faults("lease-lock")

    def test_a_holder_outlives_its_lease(self):
        def delay(cluster):
            # Later than the lease lasts and the worker waits, and well before the final read.
            cluster.link("worker1", "storage").on("write", 1, lambda: time.sleep(0.6))

        links = [("worker1", "storage")]
        self.outcome("bad", "lease-lock/cluster-unfenced.toml", links, delay)
        self.outcome("good", "lease-lock/cluster.toml", links, delay)

    def test_other_faults_do_not_break_the_correct_one(self):
        def at_write(action):
            def place(cluster):
                cluster.link("worker1", "storage").on("write", 1, lambda: action(cluster))

            return place

        file, links = "lease-lock/cluster.toml", [("worker1", "storage")]
        self.outcome("good", file, links, at_write(lambda cluster: cluster.crash_before_sending("worker1")))
        self.outcome("good", file, links, at_write(lambda cluster: cluster.restart("lock")))
        self.outcome("good", file, links, at_write(lambda cluster: cluster.restart("storage")))
        self.outcome("good", file, links, at_write(lambda cluster: cluster.pause("worker1", 0.6)))


class Queue(Case):
    LINKS = [("consumer1", "store"), ("consumer2", "store")]

    def test_good_without_faults(self):
        self.good_without_faults("queue")

    def test_a_consumer_crashes_before_it_stores(self):
        def crash(cluster):
            # The other one stands still, so that it is this one that takes the message.
            cluster.stop("consumer2")
            cluster.link("consumer1", "store").on("store", 1, lambda: cluster.crash_before_sending("consumer1"))
            return lambda: (time.sleep(0.3), cluster.resume("consumer2"))

        self.outcome("bad", "queue/cluster-early.toml", self.LINKS, crash)
        self.outcome("good", "queue/cluster.toml", self.LINKS, crash)

    def test_other_faults_do_not_break_the_correct_one(self):
        def at_store(action):
            def place(cluster):
                for consumer in ["consumer1", "consumer2"]:
                    cluster.link(consumer, "store").on("store", 1, partial(action, cluster, consumer))

            return place

        file = "queue/cluster.toml"
        self.outcome("good", file, self.LINKS, at_store(lambda cluster, _: cluster.restart("broker")))
        self.outcome("good", file, self.LINKS, at_store(lambda cluster, _: cluster.restart("store")))
        self.outcome("good", file, self.LINKS, at_store(lambda cluster, consumer: cluster.pause(consumer, 0.4)))
        self.outcome("good", file, self.LINKS, at_store(lambda *_: time.sleep(0.4)))


if __name__ == "__main__":
    unittest.main()
