"""Erases a contact and dies by SIGKILL before or after a place: ``erase_and_die.py CONTACT PLACE before|after``."""

from __future__ import annotations

import os
import signal
import sys

from safar.catalogue import load_catalogue
from safar.erasure import erase_contact, places
from safar.workspace import Workspace

contact, name, moment = sys.argv[1:]
done = places.PLACES[name]


def die(work: places.Work) -> int:
    if moment == "after":
        done(work)
    os.kill(os.getpid(), signal.SIGKILL)
    return 0


places.PLACES[name] = die
workspace = Workspace.open()
erase_contact(workspace, load_catalogue(workspace.settings), contact)
