export const runPlanted = async (_json: boolean): Promise<number> => 1;
