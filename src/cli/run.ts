/** Arguments in, exit code out. */
import { CommanderError } from 'commander';
import { Failure, failureKinds, isFailure } from '../domain/failure.ts';
import { exitCodeOf } from './exit-codes.ts';
import { colors, harmless } from './output.ts';
import { buildProgram } from './program.ts';

// A reader that has seen enough (`| head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  process.exit(
    report(new Failure('resource_exhausted', `the answer cannot be written: ${error.message}`), false),
  );
});

/** Answers the exit code; what went wrong is on stderr. */
export async function run(argv: readonly string[]): Promise<number> {
  const program = buildProgram();
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    return report(error, program.opts<{ json?: boolean }>().json === true);
  }
}

function report(error: unknown, json: boolean): number {
  // Commander has printed help or what is wrong with the usage already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (isFailure(error)) {
    process.stderr.write(
      json
        ? `${JSON.stringify(asStatus(error))}\n`
        : `${colors.red('bakehouse:')} ${harmless(error.message)}\n`,
    );
    return exitCodeOf(error.code);
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`bakehouse: this is a defect, please report it\n${text}\n`);
  return 1;
}

/** The same body as the API's. */
function asStatus(failure: Failure): object {
  return {
    code: failureKinds[failure.code].grpc,
    message: failure.message,
    details: [
      {
        '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
        reason: failure.code,
        domain: 'bakehouse',
        metadata: failure.details,
      },
    ],
  };
}
