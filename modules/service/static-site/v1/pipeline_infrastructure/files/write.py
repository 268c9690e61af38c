"""Writes a file of the service's repository, or removes it when nobody has changed it since."""

import os
import sys


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    beside = path + ".new"
    with open(beside, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    # whole or not at all: somebody may commit it this moment
    os.replace(beside, path)


def remove(path, text):
    try:
        with open(path, encoding="utf-8", newline="") as file:
            if file.read() != text:
                print("It was changed by hand, and stays:", path)
                return
        os.remove(path)
    except FileNotFoundError:
        return
    folder = os.path.dirname(path)
    while folder and not os.listdir(folder):
        os.rmdir(folder)
        folder = os.path.dirname(folder)


if __name__ == "__main__":
    {"write": write, "remove": remove}[sys.argv[1]](os.environ["CI_FILE"], os.environ["CI_TEXT"])
