/** Which resource providers a subscription is registered for. https://learn.microsoft.com/rest/api/resources/providers/get */
import type { Route } from './routes.ts';

export const providerRoutes: readonly Route[] = [
  {
    method: 'GET',
    path: '/subscriptions/:subscription/providers/:namespace',
    handle({ cloud, params }) {
      const namespace = params['namespace'] ?? '';
      const registrationState = cloud.delays.notRegistered.includes(namespace)
        ? 'NotRegistered'
        : 'Registered';
      const id = `/subscriptions/${params['subscription']}/providers/${namespace}`;
      return { status: 200, body: { id, namespace, registrationState } };
    },
  },
];
