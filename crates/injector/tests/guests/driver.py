# A node that does what its arguments say, with one of four styles of input and output, and prints
# what it sees: `driver.py STYLE COMMAND ARGUMENT...`. driver.c is the same in C.
import errno, select, socket, sys, time

style = sys.argv[1]
slots, listener, slot, wakes = {}, None, 0, 0
epoll = select.epoll() if style in ("level", "edge") else None

def say(*words): print(*words, flush=True)
def name(error): return errno.errorcode.get(error.errno, str(error))

def prepare(one):
    if style != "block": one.setblocking(False)
    if style == "edge": epoll.register(one, select.EPOLLIN | select.EPOLLOUT | select.EPOLLET)

def wait_for(one, events):
    global wakes
    wakes += 1
    if style == "poll":
        poll = select.poll()
        poll.register(one, select.POLLIN if events == select.EPOLLIN else select.POLLOUT)
        poll.poll()
        return
    if style == "level":
        try: epoll.modify(one, events)
        except FileNotFoundError: epoll.register(one, events)
    while all(fd != one.fileno() for fd, _ in epoll.poll()): pass

def put(data):
    while data:
        try: data = data[slots[slot].send(data):]
        except BlockingIOError: wait_for(slots[slot], select.EPOLLOUT)
        except OSError as error: return say("send", name(error))

def get(wanted, show):
    have, total, end, data = 0, 0, "", b""
    while have < wanted:
        try: piece = slots[slot].recv(min(wanted - have, 65535))
        except BlockingIOError:
            wait_for(slots[slot], select.EPOLLIN)
            continue
        except OSError as error: return say("recv", data.decode(), name(error))
        if not piece:
            end = " eof"
            break
        have += len(piece)
        if show: data += piece
        else:
            for byte in piece: total = (total * 31 + byte) & 0xffffffff
    say(f"recv {data.decode(errors='replace')}{end}" if show else f"took {have} {total}{end}")

def place(text):
    host, port = text.split(":")
    return host, int(port)

def call_up(where):
    one = slots[slot] = socket.socket()
    prepare(one)
    error = one.connect_ex(place(where))
    if error == errno.EINPROGRESS:
        wait_for(one, select.EPOLLOUT)
        error = one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    say("connect", errno.errorcode[error] if error else "ok")

def pick_up():
    while True:
        try:
            slots[slot], _ = listener.accept()
            return prepare(slots[slot])
        except BlockingIOError: wait_for(listener, select.EPOLLIN)
        except OSError as error: return say("accept", name(error))

words = iter(sys.argv[2:])
clock = time.monotonic()
for word in words:
    if word == "listen":
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(place(next(words)))
        listener.listen(8)
        prepare(listener)
        say("listen ok")
    elif word == "connect": call_up(next(words))
    elif word == "accept": pick_up()
    elif word == "use": slot = int(next(words))
    elif word == "send": put(next(words).encode())
    elif word == "recv": get(int(next(words)), True)
    elif word == "flood":
        left, state = int(next(words)), 1
        while left:
            part = bytearray(min(left, 40000))
            for index in range(len(part)):
                state = (state * 1103515245 + 12345) & 0xffffffff
                part[index] = state >> 16 & 255
            put(bytes(part))
            left -= len(part)
    elif word == "drain": get(int(next(words)), False)
    elif word == "hear":
        poll = select.poll()
        poll.register(slots[slot], select.POLLIN)
        if poll.poll(int(next(words))): get(1000, True)
        else: say("silence")
    elif word == "shutdown": slots[slot].shutdown(socket.SHUT_WR)
    elif word == "close": slots[slot].close()
    elif word == "sleep": time.sleep(int(next(words)) / 1000)
    elif word == "clock": clock = time.monotonic()
    elif word == "took":
        limit = int(next(words))
        say("fast" if (time.monotonic() - clock) * 1000 < limit else "slow")
    elif word == "calm": say("calm" if wakes < 500 else "spun")
    elif word == "say": say(next(words))
    else: sys.exit(2)
