export default {
  showLightbox: (image) => image.closest('.hero') === null,
};
