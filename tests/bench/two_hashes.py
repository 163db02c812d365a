# Takes SHA-256 and SHA-512 of every file of a folder, block by block in one process, as bagit.py checks a bag.
# usage: python3 two_hashes.py FOLDER
import hashlib
import os
import sys

BLOCK = 512 * 1024
files = 0
for folder, _, names in os.walk(sys.argv[1]):
    for name in names:
        hashes = [hashlib.sha256(), hashlib.sha512()]
        with open(os.path.join(folder, name), 'rb') as f:
            while block := f.read(BLOCK):
                for h in hashes:
                    h.update(block)
        files += 1
print(files)
