"""Kills the guard's process at every step of a call, hundreds of times: `python -m tests.guard.crashing --help`.

A server takes two seconds of CPU to start, so a process that has everything loaded forks one child a trial. The child
makes one approved call with the real guard, store and client over a real socket, and is killed with SIGKILL; a second
child is the next process, which finds out what became of the call and makes it again as a user would.
"""
