import { constants } from "node:fs";

export const O_RDWR: number = constants.O_RDWR;
export const O_CREAT: number = constants.O_CREAT;
export const O_EXCL: number = constants.O_EXCL;
export const O_NONBLOCK: number = constants.O_NONBLOCK;
export const O_NOFOLLOW: number = constants.O_NOFOLLOW;
