/**
 * Galleries as those see them with whom they are shared.
 * https://learn.microsoft.com/rest/api/compute/shared-galleries and https://learn.microsoft.com/azure/virtual-machines/share-gallery-direct
 */
import type { Cloud } from '../cloud.ts';
import { key, region } from '../ids.ts';
import type { Call, Route } from '../routes.ts';
import { ArmError } from '../wire.ts';
import type { Resource } from '../wire.ts';
import type { Gallery } from './gallery.ts';
import { isIn } from './replication.ts';
import { versionType } from './version.ts';
import type { Version } from './version.ts';

function holds(gallery: Resource<Gallery>, type: string, id: string): boolean {
  const groups = gallery.properties.sharingProfile?.groups ?? [];
  return groups.some((one) => one.type === type && one.ids?.some((other) => key(other) === key(id)) === true);
}

function sharedWith({ cloud, params }: Call): readonly Resource<Gallery>[] {
  return cloud
    .list<Gallery>('Microsoft.Compute/galleries')
    .filter(
      (one) =>
        holds(one, 'Subscriptions', params['subscription'] ?? '') ||
        holds(one, 'AADTenants', cloud.tokens.tenantId),
    );
}

function shared(call: Call, uniqueName: string): Resource<Gallery> {
  const gallery = sharedWith(call).find(
    (one) => key(one.properties.identifier?.uniqueName ?? '') === key(uniqueName),
  );
  if (gallery === undefined)
    throw new ArmError(
      404,
      'NotFound',
      `The shared gallery '${uniqueName}' was not found, or it is not shared with subscription '${call.params['subscription']}'.`,
    );
  return gallery;
}

/** The id of the version (or of the definition, for the latest) behind `/SharedGalleries/<unique name>/Images/…/Versions/…`. */
export function sharedVersion(call: Call, reference: string, location: string): string {
  const [, name = '', image = '', version = ''] =
    /^\/SharedGalleries\/([^/]+)\/Images\/([^/]+)(?:\/Versions\/([^/]+))?$/i.exec(reference) ?? [];
  const definition = `${shared(call, name).id}/images/${image}`;
  if (version === '' || version.toLowerCase() === 'latest') return definition;
  const id = `${definition}/versions/${version}`;
  if (!isIn(call.cloud, id, location))
    throw new ArmError(
      404,
      'GalleryImageNotFound',
      `The gallery image ${reference} is not available in ${location} region.`,
    );
  return id;
}

function versionsIn(cloud: Cloud, definition: string, location: string): readonly Resource<Version>[] {
  return cloud.list<Version>(versionType, definition).filter((one) => isIn(cloud, one.id, region(location)));
}

function view(call: Call, kind: string, tail: string, properties: object): object {
  const uniqueName = call.params['gallery'] ?? '';
  return {
    name: tail === '' ? uniqueName : tail.split('/').at(-1),
    location: region(call.params['location'] ?? ''),
    type: kind,
    identifier: { uniqueId: `/SharedGalleries/${uniqueName}${tail}` },
    properties,
  };
}

function versionView(call: Call, one: Resource<Version>): object {
  const { publishedDate, endOfLifeDate, excludeFromLatest } = one.properties.publishingProfile ?? {};
  return view(
    call,
    'Microsoft.Compute/sharedGalleries/images/versions',
    `/Images/${call.params['image']}/Versions/${one.name}`,
    {
      publishedDate,
      ...(endOfLifeDate !== undefined && { endOfLifeDate }),
      excludeFromLatest,
    },
  );
}

const base = '/subscriptions/:subscription/providers/Microsoft.Compute/locations/:location/sharedGalleries';

export const sharedRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: base,
    handle: (call) => ({
      status: 200,
      body: {
        value: sharedWith(call).map((one) => {
          const gallery = one.properties.identifier?.uniqueName ?? '';
          return view(
            { ...call, params: { ...call.params, gallery } },
            'Microsoft.Compute/sharedGalleries',
            '',
            {},
          );
        }),
      },
    }),
  },
  {
    method: 'GET',
    path: `${base}/:gallery`,
    handle(call) {
      shared(call, call.params['gallery'] ?? '');
      return { status: 200, body: view(call, 'Microsoft.Compute/sharedGalleries', '', {}) };
    },
  },
  {
    method: 'GET',
    path: `${base}/:gallery/images/:image/versions`,
    handle(call) {
      const definition = `${shared(call, call.params['gallery'] ?? '').id}/images/${call.params['image']}`;
      const value = versionsIn(call.cloud, definition, call.params['location'] ?? '').map((one) =>
        versionView(call, one),
      );
      return { status: 200, body: { value } };
    },
  },
  {
    method: 'GET',
    path: `${base}/:gallery/images/:image/versions/:version`,
    handle(call) {
      const definition = `${shared(call, call.params['gallery'] ?? '').id}/images/${call.params['image']}`;
      const found = versionsIn(call.cloud, definition, call.params['location'] ?? '').find(
        (one) => one.name === call.params['version'],
      );
      if (found === undefined)
        throw new ArmError(
          404,
          'NotFound',
          `The image version '${call.params['version']}' was not found in '${call.params['location']}'.`,
        );
      return { status: 200, body: versionView(call, found) };
    },
  },
];
