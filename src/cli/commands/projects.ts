import type { Command } from 'commander';
import { Failure } from '../../domain/failure.ts';
import { act, describe } from '../command.ts';
import { formatFacts, formatTable, shortInstant } from '../output.ts';

export function addProjects(program: Command): void {
  const command = describe(program, {
    usage: 'projects [action] [name]',
    summary: 'Organizations and projects of the installation: list, create',
    details:
      'Principals hold roles in projects of one organization only. `apply` makes a project that is missing in the organization `default`; an organization is\n' +
      'made with its first project. Both are for whoever holds the token of the installation.',
    examples: ['bakehouse projects', 'bakehouse projects create web --organization acme'],
    shared: ['url', 'dataDir', 'json'],
  }).option('--organization <name>', 'the organization of a new project', 'default');
  act<{ organization: string }>(command, async (context, { organization }, [action = '', name = '']) => {
    const client = await context.client();
    if (action === 'create' && name !== '') {
      const made = await client.createProject({ organization, name });
      context.answer(made, () =>
        formatFacts([
          ['project', made.name],
          ['id', made.id],
          ['organization', organization],
        ]),
      );
      return;
    }
    if (!['', 'list'].includes(action)) {
      throw new Failure(
        'invalid_input',
        action === 'create'
          ? 'which one? Write `projects create <name>`'
          : `there is no \`projects ${action}\`: write list or create`,
      );
    }
    const answer = await client.listOrganizations({});
    context.answer(answer, () =>
      formatTable(
        ['organization', 'organization id', 'project', 'project id', 'created'],
        answer.organizations.flatMap((one) =>
          one.projects.map((project) => [
            one.name,
            one.id,
            project.name,
            project.id,
            shortInstant(project.createdAt),
          ]),
        ),
      ),
    );
  });
}
