"""Pools of workers: assignments carried out in other processes, on this machine or on many.

A pool is a trainer: the loop asks, trains, records and tells as ever, in one process, the head. The
head owns the database and the checkpoint files; a worker owns nothing.
"""
