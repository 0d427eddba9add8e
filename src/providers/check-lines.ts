/** Whether image lines fit this installation: places that it is configured for, settings that their providers know. */
import { Failure, isFailure } from '../domain/failure.ts';
import { refusedCommands } from '../domain/command-tests.ts';
import type { CheckSpec, ImageLine, LineTarget } from '../domain/image-line.ts';
import { targetKey } from '../domain/target.ts';
import type { ImageProvider, Providers } from './provider.ts';

/** Throws one `invalid_input` with all complaints, one a line. */
export function checkLines(providers: Providers, lines: readonly ImageLine[]): void {
  const complaints = lines.flatMap(({ bucket, targets, tests }) =>
    targets.flatMap((target) =>
      complaintsOf(providers, target, tests).map(
        (words) => `${bucket}: target ${targetKey(target)}: ${words}`,
      ),
    ),
  );
  if (complaints.length > 0) throw new Failure('invalid_input', complaints.join('\n'));
}

const whereToAdd = 'add it to the file that BAKEHOUSE_CLOUDS names, for server, workers and bake hosts';

function complaintsOf(
  providers: Providers,
  target: LineTarget,
  tests: readonly CheckSpec[],
): readonly string[] {
  const provider = providers.all().find(({ code }) => code === target.provider);
  if (provider === undefined) {
    const known = providers.all().map(({ code }) => code);
    return [
      `this installation has no accounts of ${target.provider}, only of ${known.join(', ')}: ${whereToAdd}`,
    ];
  }
  const places = provider.places.map((place) => targetKey(place.target));
  if (!places.includes(targetKey(target))) {
    return [
      `is no place of this installation, which has ${places.join(', ')}: name one of them, or ${whereToAdd}`,
    ];
  }
  return [...wrongSettings(provider, target, tests), ...lacking(provider, target)];
}

function wrongSettings(
  provider: ImageProvider,
  { launch, settings = {}, copy }: LineTarget,
  tests: readonly CheckSpec[],
): readonly string[] {
  return [
    ...refusalOf(() => {
      const { noCommands } = provider.checkSettings(launch);
      // A copy is tested by its original.
      const refused = copy === true ? undefined : refusedCommands(noCommands, tests);
      if (refused !== undefined) throw new Failure('invalid_input', refused);
    }),
    ...refusalOf(() => provider.checkPlaceSettings?.(settings)),
    ...(provider.checkPlaceSettings === undefined && Object.keys(settings).length > 0
      ? ['`settings` has nothing to set there: remove it']
      : []),
  ];
}

function lacking({ capabilities }: ImageProvider, { copy, shareWith = [] }: LineTarget): readonly string[] {
  return [
    ...(copy === true && !capabilities.distribute ? ['nothing can be copied there: remove `copy`'] : []),
    ...(shareWith.length > 0 && !capabilities.share
      ? ['nothing can be shared there: remove `shareWith`']
      : []),
  ];
}

function refusalOf(check: () => void): readonly string[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!isFailure(error) || error.code !== 'invalid_input') throw error;
    return [error.message];
  }
}
