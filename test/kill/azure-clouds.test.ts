import { azurePlaces } from '../support/clouds/places.ts';
import { cloudSuite } from './clouds.suite.ts';

cloudSuite('azure', azurePlaces);
