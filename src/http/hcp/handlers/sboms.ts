import { sbomRoutes } from '../descriptors/routes/sboms.ts';
import { implement } from '../handler.ts';
import { decompress } from '../sboms/decompress.ts';
import { downloadUrl } from '../sboms/download.ts';
import { packagesOf } from '../sboms/packages.ts';
import { takeTurns } from '../sboms/turns.ts';

const inTurn = takeTurns(2);

interface Addressed {
  readonly project: string;
  readonly path: { readonly bucket_name: string; readonly fingerprint: string; readonly build_id: string };
}

const buildOf = ({ project, path }: Addressed) => ({
  project,
  bucket: path.bucket_name,
  fingerprint: path.fingerprint,
  buildId: path.build_id,
});

export const sbomOperations = implement(sbomRoutes, {
  ListSboms: async (call) => ({ sboms: [...(await call.deps.registry.sboms.list(buildOf(call)))] }),
  UploadSbom: async (call) => {
    const { deps, body, actor } = call;
    // Before the work that a large one is.
    await deps.registry.sboms.refuseUnlessRunning(buildOf(call));
    const content = Buffer.from(body.compressed_sbom, 'base64');
    const read = await inTurn(async () => {
      const json = await decompress(content);
      return { sizeBytes: json.length, packages: packagesOf(json, body.format) };
    });
    const kept = await deps.registry.sboms.upload({
      ...buildOf(call),
      ...(body.name === undefined ? {} : { name: body.name }),
      format: body.format,
      content,
      ...read,
      by: actor,
    });
    return { sbom: kept };
  },
  GetSbom: async (call) => {
    const { deps, path, origin } = call;
    const { id } = await deps.registry.sboms.get(buildOf(call), path.sbom_name);
    return { download_url: downloadUrl(deps.keys, origin, id, await deps.registry.now()) };
  },
});
