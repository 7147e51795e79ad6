/** An address as people may read it, in notes and logs: without the name and password that may stand before its host. */
export const shownUrl = (url: string): string => url.replace(/^([a-z]+:\/\/)[^/?#]*@/i, '$1');
