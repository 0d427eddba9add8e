export interface FloorActivities {
  nothing(): Promise<void>;
  fired(): Promise<void>;
}

export const floorQueue = 'bench-floor';
