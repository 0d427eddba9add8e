import Table from 'cli-table3';
import pc from 'picocolors';
import type { DemoRun } from './run.ts';
import type { Proof } from './story.ts';
import type { System } from './system.ts';

const plain = { style: { head: [], border: [] } };

/** What was proved, in four tables and a few lines. */
export function printSummary(run: DemoRun, system: System, proof: Proof, kept: boolean): void {
  run.chapter('What was proved');
  const versions = new Table({
    head: ['version', 'image', 'digest', 'size', 'boot', 'checks', 'now'],
    ...plain,
  });
  for (const version of proof.versions) {
    const [artifact] = version.builds.flatMap((build) => build.artifacts);
    versions.push([
      `${version.bucket} ${version.name}`,
      artifact?.image.imageId ?? '',
      artifact?.digest?.slice(0, 23) ?? '',
      `${((artifact?.sizeBytes ?? 0) / 1024 / 1024).toFixed(1)} MB`,
      `${((artifact?.test?.bootMs ?? 0) / 1000).toFixed(1)} s`,
      `${artifact?.test?.checks.filter((one) => one.passed).length ?? 0} passed`,
      version.revocation.state === 'revoked'
        ? `revoked, ${artifact?.lastKnown ?? ''}`
        : (artifact?.lastKnown ?? ''),
    ]);
  }
  console.log(versions.toString());

  const prod = new Table({ head: ['prod', 'base', 'app'], ...plain });
  for (const { stage, base, app } of proof.prod) prod.push([stage, base, app]);
  console.log(prod.toString());

  const receipts = new Table({ head: ['receipt', 'image of', 'action', 'launchable', 'at'], ...plain });
  const names = new Map(proof.versions.map((version) => [version.id, `${version.bucket} ${version.name}`]));
  for (const receipt of proof.receipts.filter((one) => one.action === 'disable' || one.action === 'enable')) {
    receipts.push([
      receipt.id,
      names.get(receipt.versionId) ?? receipt.versionId,
      receipt.action,
      receipt.launchable === null ? '' : String(receipt.launchable),
      receipt.at,
    ]);
  }
  console.log(receipts.toString());

  for (const refusal of proof.refusals) console.log(`refused  ${refusal}`);
  console.log(`\nThe scheduled revocation was seen ${proof.latenessMs} ms after its date.`);
  console.log(`Temporal UI  ${system.temporalUi}/namespaces/default/workflows`);
  console.log(`API          ${system.url}/api/v1/projects/default/buckets`);
  if (kept) {
    console.log(`\nEverything goes on running. In this folder:`);
    console.log(pc.cyan(`  export BAKEHOUSE_DATA_DIR=${system.dataDir}`));
    console.log(pc.cyan('  bin/bakehouse channels base'));
    console.log(pc.cyan('  bin/bakehouse down') + '   ends it');
  } else {
    console.log('The links work with `npm run demo -- --keep`, which leaves everything running.');
  }
  console.log(`\n${pc.green('✓')} done in ${run.seconds.toFixed(0)} s`);
}
