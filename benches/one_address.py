"""A resolver that answers every A question with one address, for ten minutes: ADDRESS PORT PIDFILE."""

import os
import socket
import sys

address, port, pid_file = sys.argv[1], int(sys.argv[2]), sys.argv[3]
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", port))
server.settimeout(600)
with open(pid_file, "w", encoding="ascii") as file:
    file.write(str(os.getpid()))
try:
    while True:
        question, client = server.recvfrom(4096)
        end = question.index(0, 12) + 5
        asks_a = question[end - 4 : end - 2] == b"\0\1"
        head = question[:2] + b"\x81\x80\0\1\0" + bytes([asks_a]) + b"\0\0\0\0"
        record = b"\xc0\x0c\0\1\0\1\0\0\1\x2c\0\4" + socket.inet_aton(address)
        server.sendto(head + question[12:end] + (record if asks_a else b""), client)
except TimeoutError:
    os.remove(pid_file)
