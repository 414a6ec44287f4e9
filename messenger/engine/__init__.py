"""Joins protocol, net and storage: commands in, typed events out; knows no Qt."""
