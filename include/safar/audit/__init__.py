"""Proves afterwards what was done: tells the story of a person or a message, and decides a past run again."""

from safar.audit.explaining import explain
from safar.audit.replaying import ReplayReport, replay_run
from safar.audit.story import Story, StoryLine

__all__ = ["ReplayReport", "Story", "StoryLine", "explain", "replay_run"]
