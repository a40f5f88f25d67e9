"""Exit status 0 once the primary has two replicas online and every Sentinel knows the others.

Makes the Sentinels look around more often than every ten seconds, and vote again sooner, on the way."""

import sys

from resp import Connection, RedisError

PERIODS = ["info-period", 300, "publish-period", 100, "ask-period", 100, "ping-period", 100, "election-timeout", 1000]


def is_ready(redis, sentinels):
    with Connection(redis, 6379) as connection:
        if connection.call("INFO", "replication").count("state=online") < 2:
            return False
    for sentinel in sentinels:
        with Connection(sentinel, 26379) as connection:
            connection.call("SENTINEL", "DEBUG", *PERIODS)
            flat = connection.call("SENTINEL", "master", "store")
            state = dict(zip(flat[::2], flat[1::2]))
            if state["num-other-sentinels"] != "2" or state["num-slaves"] != "2":
                return False
    return True


if __name__ == "__main__":
    try:
        sys.exit(0 if is_ready(sys.argv[1], sys.argv[2:]) else 1)
    except (OSError, RedisError):
        sys.exit(1)
