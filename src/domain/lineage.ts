/** One bake from a parent: `child` was made from `parent`. */
export interface LineageEdge {
  readonly parent: string;
  readonly child: string;
}

export interface LineageStep {
  readonly versionId: string;
  /** Steps from the root by the shortest way; 0 for the root itself. */
  readonly depth: number;
}

/**
 * The root and all its descendants, nearest first, each once however many ways lead to it; equally near ones by id, so that the plan
 * is the same whenever it is made. A cycle cannot be baked; if one were written, it would still end.
 */
export function lineagePlan(root: string, edges: readonly LineageEdge[]): readonly LineageStep[] {
  const children = new Map<string, string[]>();
  for (const { parent, child } of edges) {
    const known = children.get(parent);
    if (known === undefined) children.set(parent, [child]);
    else known.push(child);
  }
  const seen = new Set([root]);
  const plan: LineageStep[] = [];
  let level = [root];
  for (let depth = 0; level.length > 0; depth += 1) {
    plan.push(...level.map((versionId) => ({ versionId, depth })));
    const next = new Set<string>();
    for (const versionId of level) {
      for (const child of children.get(versionId) ?? []) if (!seen.has(child)) next.add(child);
    }
    level = [...next].toSorted();
    for (const versionId of level) seen.add(versionId);
  }
  return plan;
}
