export const svgOf = () => '';
