// Writes a playbook of 500 steps: 25 stages of 20, each step needs some of the stage before; every tenth
// runs a workflow, and one fails.
const stages = 25, width = 20;
const lines = ["playbook: 1", "name: large", "timeout: 24h", "steps:"];
for (let stage = 0; stage < stages; stage += 1) {
  for (let n = 0; n < width; n += 1) {
    const id = `stage_${stage + 1}_part_${n + 1}`;
    const needs = stage === 0 ? [] : [n, (n * 7 + stage) % width].map((of) => `stage_${stage}_part_${of + 1}: any`);
    lines.push(`  ${id}:`);
    if (needs.length > 0) lines.push(`    needs: { ${[...new Set(needs)].join(", ")} }`);
    if (n % 10 === 0) lines.push("    run_workflow: { project: demo, reference: refs/heads/main }");
    else if (n % 10 === 3) lines.push(`    sleep: ${30 + ((stage * 37 + n * 11) % 200)}s`);
    else if (stage === 12 && n === 5) lines.push("    check: { that: [\"1 > 2\"], message: the sums do not add up }");
    else lines.push(`    set: { number: ${stage * width + n}, text: "part ${n + 1} of stage ${stage + 1}" }`);
  }
}
process.stdout.write(`${lines.join("\n")}\n`);
