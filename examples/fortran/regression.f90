! y = 1 + 2 x + noise, from arrays that the program owns.
module parts
  use jensen
  implicit none

contains

  subroutine check(status)
    integer(c_int), intent(in) :: status
    if (status == jensen_ok) return
    print '(a)', jensen_message()
    error stop 1
  end subroutine

  integer(c_int) function watch(progress, user) bind(c)
    type(jensen_progress), intent(in) :: progress
    type(c_ptr), value :: user
    integer(c_int64_t), pointer :: step
    call c_f_pointer(user, step)
    step = progress%step
    watch = 0
  end function

end module

program regression
  use parts
  implicit none
  integer, parameter :: rows = 500
  real(c_double), target :: x(rows), y(rows)
  type(c_ptr) :: table, options, trainer, fit
  type(jensen_summary) :: summaries(8)
  integer(c_size_t) :: count
  integer(c_int64_t), target :: seen
  integer :: i

  if (jensen_abi_version() /= jensen_abi) error stop "this jensen.f90 is not that of the library"
  do i = 1, rows
    x(i) = sin(0.3d0*i)
    y(i) = 1 + 2*x(i) + 0.5d0*sin(12.9898d0*i*i)
  end do

  call check(jensen_table_create(jensen_c("arrays"), table))
  call check(jensen_table_add_double(table, jensen_c("x"), c_loc(x), int(rows, c_size_t)))
  call check(jensen_table_add_double(table, jensen_c("y"), c_loc(y), int(rows, c_size_t)))
  call check(jensen_options_create(options))
  call check(jensen_options_set(options, jensen_c("family"), jensen_c("gaussian")))

  call check(jensen_trainer_create(jensen_c("y ~ 1 + x"), table, options, c_null_ptr, trainer))
  seen = 0
  call check(jensen_trainer_run(trainer, c_funloc(watch), c_loc(seen), fit))
  count = size(summaries)
  call check(jensen_fit_summary(fit, summaries, count))
  do i = 1, int(count)
    print '(a12, 2(a, f8.4))', jensen_parameter_name(fit, i), "  mean", summaries(i)%mean, "  sd", summaries(i)%sd
  end do
  print '(a, i0, 2a)', "seen up to step ", seen, "; ", jensen_verdict_message(fit)

  call jensen_fit_free(fit)
  call jensen_trainer_free(trainer)
  call jensen_options_free(options)
  call jensen_table_free(table)
  if (abs(summaries(2)%mean - 2) > 0.1d0 .or. seen == 0) error stop "the slope is not 2"

end program
