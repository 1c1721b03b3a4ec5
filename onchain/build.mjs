// Compiles the contracts and writes the committed artifact; --check compares instead. Given folders (mutants.py), it
// compiles the contracts in each, which may warn, and writes artifact.json beside them. The same bytes on every machine:
// the compiler is WebAssembly from the lock file, and the metadata's hash, which would cover comments, is left out.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const here = dirname(fileURLToPath(import.meta.url))
const root = dirname(here)
const artifact = join(root, 'layers/shared/bloxtr8/rails/usdc/artifact.json')
const { values, positionals: folders } = parseArgs({ options: { check: { type: 'boolean' } }, allowPositionals: true })
const solc = createRequire(import.meta.url)('solc')

const contracts = ['Escrow', 'EscrowVault']
const settings = {
  evmVersion: 'cancun',
  metadata: { bytecodeHash: 'none' },
  optimizer: { enabled: true, runs: 10000 },
  viaIR: false,
}

function build(from) {
  const sources = Object.fromEntries(
    contracts.map((name) => [`${name}.sol`, { content: readFileSync(join(from, `${name}.sol`), 'utf8') }]),
  )
  const outputs = ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object', 'evm.deployedBytecode.immutableReferences']
  const input = { language: 'Solidity', sources, settings: { ...settings, outputSelection: { '*': { '*': outputs } } } }
  const imports = (path) => ({ contents: readFileSync(join(root, 'node_modules', path), 'utf8') })
  const output = JSON.parse(solc.compile(JSON.stringify(input), { import: imports }))
  const wrong = (output.errors ?? []).filter((it) => it.severity === 'error' || from === here)
  if (wrong.length) throw new Error([from, ...wrong.map((it) => it.formattedMessage)].join('\n'))
  const compiled = contracts.map((name) => [name, contract(output.contracts[`${name}.sol`][name])])
  const all = { compiler: solc.version(), settings, contracts: Object.fromEntries(compiled) }
  return JSON.stringify(all, null, 1) + '\n'
}

function contract({ abi, evm }) {
  return {
    abi,
    bytecode: '0x' + evm.bytecode.object,
    deployedBytecode: '0x' + evm.deployedBytecode.object,
    // Where the deployed code holds values of its constructor, as [start, length] in bytes.
    immutables: Object.values(evm.deployedBytecode.immutableReferences).flat().map(({ start, length }) => [start, length]),
  }
}

for (const folder of folders) writeFileSync(join(folder, 'artifact.json'), build(folder))
if (!folders.length) {
  const built = build(here)
  if (!values.check) writeFileSync(artifact, built)
  else if (readFileSync(artifact, 'utf8') !== built) {
    console.error('artifact.json is not what the sources compile to: node onchain/build.mjs')
    process.exit(1)
  }
}
