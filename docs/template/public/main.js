// Options of docfx's template. The diagrams take the colours of main.css; the getter is read again when the theme changes.
export default {
  get mermaid() {
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    return {
      theme: 'base',
      themeVariables: {
        darkMode: document.documentElement.dataset.bsTheme === 'dark',
        fontFamily: colour('--bs-font-sans-serif'),
        background: colour('--ground'),
        primaryColor: colour('--accent-soft'),
        primaryBorderColor: colour('--accent'),
        primaryTextColor: colour('--bs-body-color'),
        textColor: colour('--bs-body-color'),
        lineColor: colour('--muted'),
        secondaryColor: colour('--sunken'),
        tertiaryColor: colour('--sunken'),
        tertiaryBorderColor: colour('--line'),
        tertiaryTextColor: colour('--bs-body-color'),
        edgeLabelBackground: colour('--ground'),
        noteBkgColor: colour('--sunken'),
        noteBorderColor: colour('--line'),
        noteTextColor: colour('--bs-body-color'),
        transitionLabelColor: colour('--bs-body-color'),
        labelBackgroundColor: colour('--ground'),
      },
    };
  },
};
