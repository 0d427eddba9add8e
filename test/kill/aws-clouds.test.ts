import { awsPlaces } from '../support/clouds/places.ts';
import { cloudSuite } from './clouds.suite.ts';

cloudSuite('aws', awsPlaces);
