# Takes the HL7 v2 messages of a file apart by python3-hl7, and does nothing with them. Prints how many there were.
# usage: python3 hl7parse.py FILE
import re
import sys

import hl7

with open(sys.argv[1], encoding='utf-8', newline='') as feed:
    messages = re.split('\r+(?=\ufeff?MSH)', feed.read())
segments = 0
for message in messages:
    segments += len(hl7.parse(message.lstrip('\ufeff')))
print(len(messages), segments)
