/** The rules of the house as code: who may import whom. docs/architecture.md draws the same tree. */
const only = (name, from, allowed, comment) => ({
  name,
  comment,
  severity: 'error',
  from: { path: `^src/${from}/` },
  to: { path: '^src/', pathNot: `^src/(${[from, ...allowed].join('|')})/` },
});

module.exports = {
  forbidden: [
    {
      name: 'domain-is-pure',
      comment: 'Rules are bundled into the workflow sandbox: no node:, no npm package, no other folder.',
      severity: 'error',
      from: { path: '^src/domain/' },
      to: { pathNot: '^src/domain/' },
    },
    {
      name: 'workflows-types-only-from-activities',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { path: '^src/activities/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'workflows-stay-in-the-sandbox',
      severity: 'error',
      from: { path: '^src/workflows/' },
      to: { pathNot: '^(src/(domain|workflows|activities)/|node_modules/@temporalio/(workflow|common)/)' },
    },
    {
      name: 'no-provider-imports-another',
      severity: 'error',
      from: { path: '^src/providers/([^/]+)/' },
      to: { path: '^src/providers/[^/]+/', pathNot: '^src/providers/$1/' },
    },
    only('providers', 'providers', ['domain'], 'A provider knows its cloud and the contract, nothing else.'),
    only('packer', 'packer', ['domain']),
    only('vault', 'vault', ['domain']),
    only('store', 'store', ['domain']),
    only('webhooks', 'webhooks', ['domain']),
    only('registry', 'registry', ['domain', 'store'], 'The registry never calls Temporal: the relay does.'),
    only('config', 'config', ['domain']),
    only('observe', 'observe', ['domain', 'config']),
    {
      name: 'descriptors-are-data',
      comment:
        'Routes as data, ours and those of HCP, for server, client and pages: domain, and types of the registry contract.',
      severity: 'error',
      from: { path: '^src/http/(hcp/)?descriptors/' },
      to: { path: '^src/(?!http/(hcp/)?descriptors/|domain/)', dependencyTypesNot: ['type-only'] },
    },
    only('client', 'client', ['domain', 'http/descriptors']),
    {
      name: 'activities-see-contracts',
      comment: 'Activities take what they use as arguments: types only, except domain.',
      severity: 'error',
      from: { path: '^src/activities/' },
      to: {
        path: '^src/(?!domain/|activities/)',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'temporal',
      comment: 'Implements what activities ask for, so it takes their types; the rest as given to it.',
      severity: 'error',
      from: { path: '^src/temporal/' },
      to: {
        path: '^src/',
        pathNot: '^src/(temporal|domain|workflows|observe)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'http-goes-through-the-registry',
      comment: 'Only the composition root (main.ts) knows store, config, temporal.',
      severity: 'error',
      from: { path: '^src/http/', pathNot: '^src/http/main\\.ts$' },
      to: {
        path: '^src/(store|providers|workflows|activities|worker|cli|packer|config)/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'cli-speaks-http',
      comment: 'Commands use the client; only those that start a process know more.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: '^src/cli/(processes|up)/' },
      to: { path: '^src/(?!cli/|client/|config/|domain/)' },
    },
    {
      name: 'src-never-imports-test',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts|bench)/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: 'specify',
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: { extensions: ['.ts', '.js', '.json'] },
  },
};
