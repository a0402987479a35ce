#!/usr/bin/env python3
"""A bad link between two network namespaces: relays IP packets between a pair of TUN devices.

lossy-link.py NS_A NS_B --delay MS --loss PERCENT --rate MBIT --queue PACKETS --seed NUMBER

10.77.0.1 is in NS_A, 10.77.0.2 in NS_B. SIGUSR1 cuts the link or restores it. Needs root; prints "ready".
"""
import argparse, ctypes, fcntl, heapq, os, random, select, signal, struct, subprocess, time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
CLONE_NEWNET = 0x40000000

parser = argparse.ArgumentParser()
parser.add_argument('a')
parser.add_argument('b')
parser.add_argument('--delay', type=float, default=0.0)
parser.add_argument('--loss', type=float, default=0.0)
parser.add_argument('--rate', type=float, default=0.0)
parser.add_argument('--queue', type=int, default=2000)
parser.add_argument('--seed', type=int, default=1)
options = parser.parse_args()
chance = random.Random(options.seed)
libc = ctypes.CDLL(None, use_errno=True)
home = os.open('/proc/self/ns/net', os.O_RDONLY)


def tun(namespace, own, peer):
    there = os.open('/var/run/netns/' + namespace, os.O_RDONLY)
    assert libc.setns(there, CLONE_NEWNET) == 0
    device = os.open('/dev/net/tun', os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack('16sH22x', b'bad0', IFF_TUN | IFF_NO_PI))
    for command in (f'address add {own} peer {peer} dev bad0', 'link set bad0 mtu 1500 up', 'link set lo up'):
        subprocess.check_call(['ip', *command.split()])
    assert libc.setns(home, CLONE_NEWNET) == 0
    os.close(there)
    return device


devices = [tun(options.a, '10.77.0.1', '10.77.0.2'), tun(options.b, '10.77.0.2', '10.77.0.1')]
is_cut = False


def toggle(*_):
    global is_cut
    is_cut = not is_cut


signal.signal(signal.SIGUSR1, toggle)
on_their_way = []
count = 0
free_at, waiting = [0.0, 0.0], [0, 0]
print('ready', flush=True)
while True:
    now = time.monotonic()
    while on_their_way and on_their_way[0][0] <= now:
        _, _, side, packet = heapq.heappop(on_their_way)
        waiting[side] -= 1
        try:
            os.write(devices[1 - side], packet)
        except OSError:
            pass
    timeout = max(0, on_their_way[0][0] - time.monotonic()) if on_their_way else 1
    for device in select.select(devices, [], [], timeout)[0]:
        side = devices.index(device)
        for _ in range(64):
            try:
                packet = os.read(device, 65535)
            except BlockingIOError:
                break
            is_lost = is_cut or chance.random() * 100 < options.loss
            if is_lost or waiting[side] >= options.queue:
                continue
            at = time.monotonic()
            if options.rate:
                at = free_at[side] = max(free_at[side], at) + len(packet) * 8 / (options.rate * 1e6)
            count += 1
            waiting[side] += 1
            heapq.heappush(on_their_way, (at + options.delay / 1000, count, side, packet))
