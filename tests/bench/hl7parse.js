// Takes the HL7 v2 messages of a file apart by npm's @medplum/core, and does nothing with them. Prints how many there were.
// usage: node hl7parse.js MODULES FILE
const fs = require('fs');
const path = require('path');

const [modules, feed] = process.argv.slice(2);
const {Hl7Message} = require(path.resolve(modules, '@medplum/core'));

const messages = fs.readFileSync(feed, 'utf8').split(/\r+(?=\ufeff?MSH)/);
let segments = 0;
for (const message of messages)
    segments += Hl7Message.parse(message.replace(/^\ufeff/, '')).segments.length;
console.log(messages.length, segments);
