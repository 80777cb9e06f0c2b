"""Builders for implementations that can be had, each about ten lines in its library's idiom."""
