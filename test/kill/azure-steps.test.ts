import { openAzure } from '../contract/azure-fixture.ts';
import { azurePlacesOn } from '../support/clouds/places.ts';
import { cloudStepsSuite } from './cloud-steps.suite.ts';

const subscriptionIds = ['1', '2', '3', '4'].map((one) => `50b50000-0000-4000-8000-00000000000${one}`);

// What `latest` means is the one channel that each version has a flag of its own for.
cloudStepsSuite('azure', async () => azurePlacesOn(await openAzure({ subscriptionIds }), 'prod'));
