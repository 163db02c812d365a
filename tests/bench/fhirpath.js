// Rules (NAME=EXPRESSION, one a line) on every record of a file by npm's fhirpath: compiled once, R4 model. Prints how
// often each was true.
// usage: node fhirpath.js MODULES RULES FILE
const fs = require('fs');
const path = require('path');
const readline = require('readline');

const [modules, rulesFile, records] = process.argv.slice(2);
const fhirpath = require(path.resolve(modules, 'fhirpath'));
const r4 = require(path.resolve(modules, 'fhirpath/fhir-context/r4'));

const rules = fs.readFileSync(rulesFile, 'utf8').trim().split('\n').map((line) => {
    const at = line.indexOf('=');
    return {name: line.slice(0, at), evaluate: fhirpath.compile(line.slice(at + 1), r4), hits: 0};
});

async function main() {
    for await (const line of readline.createInterface({input: fs.createReadStream(records)})) {
        const record = JSON.parse(line);
        for (const rule of rules) {
            const result = rule.evaluate(record);
            if (result.length === 1 && result[0] === true)
                rule.hits++;
        }
    }
    for (const rule of rules)
        console.log(`${rule.name}\t${rule.hits}`);
}

main();
