# subprocess with pipes to standard input and output.
import subprocess, sys
child = "import sys; sys.stdout.write(sys.stdin.read().upper())"
done = subprocess.run([sys.executable, "-S", "-E", "-c", child], input=b"shout", stdout=subprocess.PIPE)
assert done.stdout == b"SHOUT"
