import { Failure } from '../../domain/failure.ts';
import { templateDigest, templateLimits } from '../../domain/template-digest.ts';
import type { HandlersOf } from './router.ts';

export const lineHandlers: HandlersOf<
  'planLines' | 'applyLines' | 'hasTemplate' | 'putTemplate' | 'listBuckets' | 'getBucket'
> = {
  planLines: async ({ project, lines }, { deps }) => {
    deps.checkLines(lines);
    return { changes: [...(await deps.registry.lines.plan(project, lines))] };
  },
  applyLines: async ({ project, lines }, { deps, actor }) => {
    deps.checkLines(lines);
    return { changes: [...(await deps.registry.lines.apply(project, lines, actor))] };
  },
  hasTemplate: async ({ digest }, { deps }) => ({ present: await deps.registry.lines.hasTemplate(digest) }),
  putTemplate: async ({ digest, files }, { deps }) => {
    const content = decode(files);
    const actual = await templateDigest(content);
    if (actual !== digest) {
      throw new Failure(
        'invalid_input',
        `the content has digest ${actual}, not ${digest}: upload it as that`,
      );
    }
    await deps.registry.lines.putTemplate({ digest, files: content });
    return { digest };
  },
  listBuckets: async ({ project }, { deps }) => ({ buckets: [...(await deps.registry.lines.list(project))] }),
  getBucket: async ({ project, bucket }, { deps }) => deps.registry.lines.get(project, bucket),
};

function decode(files: Readonly<Record<string, string>>): Record<string, Uint8Array> {
  const content = Object.entries(files).map(([path, text]) => {
    const outside = path.startsWith('/') || path.split('/').some((step) => ['', '.', '..'].includes(step));
    if (outside || path.includes('\\')) {
      throw new Failure('invalid_input', `"${path}" is not a path inside the template's folder`);
    }
    return [path, new Uint8Array(Buffer.from(text, 'base64'))] as const;
  });
  const bytes = content.reduce((sum, [, one]) => sum + one.byteLength, 0);
  if (content.length === 0) throw new Failure('invalid_input', 'the template holds no files');
  if (content.length > templateLimits.files || bytes > templateLimits.bytes) {
    throw new Failure(
      'invalid_input',
      `the template holds more than ${templateLimits.files} files or ${templateLimits.bytes} bytes`,
    );
  }
  return Object.fromEntries(content);
}
