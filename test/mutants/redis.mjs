export default {
  mechanism: 'Notifications between nodes, Redis, soft leases',
  mutants: [
    {
      name: 'used-number-looks-seen',
      file: 'src/Dunlin.Redis/Backplane/SeenNumbers.cs',
      replace: 'Of(entered) &= ~Bit(entered);',
      with: '_ = entered;',
      breaks: 'After 4096 transient events of a node, new ones are dropped as repetitions.',
      killedBy:
        'Dunlin.Redis.Tests: RedisBackplaneTests.A_number_is_new_once_within_the_window_and_never_before',
    },
    {
      name: 'soft-lease-renews-an-older-epoch',
      file: 'src/Dunlin.Redis/Scripts/soft_renew.lua',
      replace: 'or lease[2] ~= ARGV[2] or',
      with: 'or',
      breaks: 'After a data loss, a holder renews the grant that another node repeated with the same number.',
      killedBy:
        'Dunlin.Redis.Tests: SoftLeaseTests.A_grant_of_lost_data_neither_renews_nor_releases_a_later_one',
    },
    {
      name: 'soft-lease-releases-a-later-grant',
      file: 'src/Dunlin.Redis/Scripts/soft_release.lua',
      replace: ' or lease[3] ~= ARGV[3] then',
      with: ' then',
      breaks: 'A stale handle releases a later grant of the same lease id.',
      killedBy: 'Dunlin.Redis.Tests: SoftLeaseTests.A_renewal_extends_the_lease_and_never_acquires',
    },
  ],
};
