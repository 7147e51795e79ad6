// Numbers that a state keeps are rounded, to be short. Adding 0 makes -0, which JSON has not, 0.

export const millionths = (value: number): number => Math.round(value * 1e6) / 1e6 + 0;

export const thousandths = (value: number): number => Math.round(value * 1e3) / 1e3 + 0;
