"""Implementations of Adafactor to audit: right ones, wrong ones, and some made from the rules."""
