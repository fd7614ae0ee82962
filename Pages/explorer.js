// Scalar over the document of this server, asking nobody else: without these settings it would call services of its maker.
const open = document.getElementById('explorer').dataset.auth === 'none';
Scalar.createApiReference('#explorer', {
  url: 'openapi.json' + location.search,
  servers: [{ url: new URL('.', location.href).href.replace(/\/$/, '') }], // the document may name an address that this page may not call
  telemetry: false,
  withDefaultFonts: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never',
  hideClientButton: true, // opens the maker's web client
  persistAuth: false, // a key that was typed in is gone with the page
  defaultOpenAllTags: true,
  hideModels: true, // the only one is the problem document
  documentDownloadType: 'direct',
  favicon: 'logo.svg',
  // Without authentication every tool would be marked "Auth Optional".
  customCss: '.light-mode { --scalar-color-accent: #14663a; } .dark-mode { --scalar-color-accent: #7fd8a1; }' + (open ? ' .security-requirement-badge { display: none !important; }' : ''),
});
document.getElementById('waiting').remove();
