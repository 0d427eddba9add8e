import { constants, zstdDecompress } from 'node:zlib';
import { Failure } from '../../../domain/failure.ts';

/** Of the JSON. Packer's own SBOMs of a whole system have some megabytes. */
const longest = 32 * 1024 * 1024;
/** What a stream may ask to keep in memory, as a power of two: Packer's best compression asks for 32 MiB. */
const widestWindow = 25;

/** Ends as soon as it grows beyond what is taken. Throws `invalid_input`. */
export async function decompress(content: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    zstdDecompress(
      content,
      { maxOutputLength: longest, params: { [constants.ZSTD_d_windowLogMax]: widestWindow } },
      (error, result) => {
        if (error === null) resolve(result);
        else reject(refused(error));
      },
    );
  });
}

function refused(error: Error): Failure {
  const why =
    'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE'
      ? `is larger than ${longest} bytes once it is decompressed`
      : `is not base64 of zstd (${error.message})`;
  const description = `compressed_sbom ${why}`;
  return new Failure('invalid_input', description, {
    details: { fieldViolations: [{ field: 'compressed_sbom', description }] },
    cause: error,
  });
}
