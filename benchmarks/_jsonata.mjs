// One JSONata engine in a Node process: a line of JSON asks, a line of JSON answers.
//
//   node _jsonata.mjs FOLDER     FOLDER holds node_modules/jsonata
//
// {"prepare": {NAME: {"expression": …, "input": …}}}   compiles
// {"evaluate": NAME, "inputs": […]}                    results
// {"measure": NAME, "path": "map"|"bytes", "count": n} microseconds of CPU for a call

import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { resolve } from 'node:path'

const jsonata = createRequire(resolve(process.argv[2], 'package.json'))('jsonata')
const tasks = {}

function prepare(given) {
  for (const [name, { expression, input }] of Object.entries(given)) {
    tasks[name] = { expression: jsonata(expression), input, text: JSON.stringify(input) }
  }
  return { prepared: Object.keys(tasks) }
}

async function measure({ measure: name, path, count }) {
  const { expression, input, text } = tasks[name]
  const before = process.cpuUsage()
  for (let call = 0; call < count; call++) {
    if (path === 'map') await expression.evaluate(input)
    else JSON.stringify(await expression.evaluate(JSON.parse(text)))
  }
  const used = process.cpuUsage(before)
  return { us: (used.user + used.system) / count }
}

async function evaluate({ evaluate: name, inputs }) {
  const results = []
  for (const input of inputs) results.push(await tasks[name].expression.evaluate(input))
  return { results }
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line)
  const answer = asked.prepare
    ? prepare(asked.prepare)
    : asked.evaluate ? await evaluate(asked) : await measure(asked)
  process.stdout.write(JSON.stringify(answer) + '\n')
}
