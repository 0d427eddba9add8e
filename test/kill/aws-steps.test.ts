import { awsPlaces } from '../support/clouds/places.ts';
import { cloudStepsSuite } from './cloud-steps.suite.ts';

cloudStepsSuite('aws', awsPlaces);
