import { Failure } from '../../domain/failure.ts';
import type { Db } from '../../store/store.ts';

const knownForMs = 1000;

/** Every call of a registry client asks, and hardly ever is the answer another one: that it is activated is remembered for a second. */
export function createActivationCheck(db: Db): {
  require(project: string): Promise<void>;
  forget(project: string): void;
} {
  const activatedUntil = new Map<string, number>();
  return {
    async require(project) {
      const asked = performance.now();
      if ((activatedUntil.get(project) ?? 0) > asked) return;
      const row = await db
        .selectFrom('registry_config')
        .innerJoin('project', 'project.id', 'registry_config.project_id')
        .where('project.name', '=', project)
        .select('deactivated_at as since')
        .executeTakeFirst();
      const since = row?.since ?? null;
      if (since === null) {
        activatedUntil.set(project, asked + knownForMs);
        return;
      }
      throw new Failure(
        'illegal_state',
        `The registry of project "${project}" is deactivated since ${since}. Its data is kept; UpdateRegistry with \`activated\` gives it back.`,
      );
    },
    forget(project) {
      activatedUntil.delete(project);
    },
  };
}
