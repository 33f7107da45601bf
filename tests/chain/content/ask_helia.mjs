// Has the JavaScript implementation of the IPFS project (ipfs-unixfs-importer) give ids to the random strings by the
// profile unixfs-v1-2025, and writes them down: `helia_vectors.json`.
//
//   npm install ipfs-unixfs-importer@17.1.1 blockstore-core      (in a scratch folder, and run it from there)
//   PYTHONPATH=tests/chain/content python -c 'import random_strings as r, sys
//   for s in r.strings(): sys.stdout.buffer.write(len(s).to_bytes(4, "big") + s)' | node ask_helia.mjs > helia_vectors.json
//
// `wide`: bytes 0..255 over and over, 200,000 of them in chunks of 64 and 20: more leaves than a node has links.
import { createHash } from 'node:crypto'
import { importer } from 'ipfs-unixfs-importer'
import { BlackHoleBlockstore } from 'blockstore-core'
import { fixedSize } from 'ipfs-unixfs-importer/chunker'

const store = new BlackHoleBlockstore()
const SPELLED = 300

async function * one (data) { yield data }

async function idOf (data, options = {}) {
  let last
  for await (const file of importer([{ content: one(data) }], store, { profile: 'unixfs-v1-2025', ...options })) last = file
  return last.cid.toString()
}

let held = Buffer.alloc(0)
const ids = []
for await (const piece of process.stdin) {
  held = Buffer.concat([held, piece])
  while (held.length >= 4 && held.length >= 4 + held.readUInt32BE(0)) {
    const size = held.readUInt32BE(0)
    ids.push(await idOf(new Uint8Array(held.subarray(4, 4 + size))))
    held = held.subarray(4 + size)
  }
}
const wide = new Uint8Array(200_000).map((_, i) => i % 256)
const hash = createHash('sha256')
for (const id of ids) hash.update(id + '\n')
console.log(JSON.stringify({
  'ipfs-unixfs-importer': '17.1.1',
  profile: 'unixfs-v1-2025',
  seed: 'agon content vectors 1',
  count: ids.length,
  sha256_of_lines: hash.digest('hex'),
  wide: Object.fromEntries(await Promise.all([64, 20].map(async size => [size, await idOf(wide, { chunker: fixedSize({ chunkSize: size }) })]))),
  first: ids.slice(0, SPELLED)
}, null, 1))
