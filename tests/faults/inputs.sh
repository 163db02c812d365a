# Makes the inputs, in the current folder, from tests/data.
# shellcheck shell=sh
for file in bundle.json adt.hl7 charts.ndjson release.ndjson retired.ndjson; do
    cp "$FAULTS/../data/$file" . || exit 2
done
gzip -nc bundle.json >bundle.json.gz || exit 2
# More than is held in memory: release keeps it in a temporary file.
awk 'BEGIN { for (i = 0; i < 12000; i++)
    printf "{\"resourceType\":\"Practitioner\",\"id\":\"pr-%d\",\"name\":[{\"text\":\"Dr. Nobody In Particular\"}]}\n", i }' |
    cat release.ndjson - >shared.ndjson
for bag in bag.zip bag.tar.zst bag; do
    chart archive create -q --as-of 2026-06-30 $bag retired.ndjson || exit 2
done
chart release -q --to Mercy --purpose TREAT --as-of 2026-06-30 --db ledger.db charts.ndjson >/dev/null || exit 2
chart import -q --tally tally.json bundle.json >/dev/null || exit 2
# What no message may hold.
{
    grep -ohE '"(family|birthDate|text|display|valueString|deceasedDateTime)" *: *"[^"]{4,}"' ./*.ndjson ./*.json |
        sed 's/"$//; s/.*"//'
    printf '%s\n' Okafor 19590617 987-65-4329 204417
} | sort -u >values
head -n 3 retired.ndjson >few.ndjson
chart sort -q -o sorted.ndjson charts.ndjson || exit 2
for file in bundle.json adt.hl7 charts.ndjson sorted.ndjson release.ndjson retired.ndjson shared.ndjson few.ndjson tally.json; do
    gzip -nc $file >$file.gz && zstd -qc $file >$file.zst && xz -c $file >$file.xz && bzip2 -c $file >$file.bz2 || exit 2
done
